import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TransportMemory from "../../src/layers/TransportMemory.ts"
import { Transport } from "../../src/services/Transport.ts"
import { until } from "../harness/Until.ts"
import { suite } from "../suites/TransportSuite.ts"

suite("TransportMemory", TransportMemory.layer(), {
  anywhere: "memory://name:0",
  malformed: ["", "name", "memory://", "memory://with space"]
})

describe("faults", () => {
  /** Sends one request over a transport with faults; says what arrived, from how many peers, and what came back. */
  const run = (faults: TransportMemory.Faults) =>
    Effect.gen(function*() {
      const transport = yield* Transport
      const bodies: Array<string> = []
      const peers = new Set<number>()
      const closed: Array<number> = []
      const { address } = yield* transport.serve("memory://faults", {
        maxMessageBytes: 100,
        onRequest(request) {
          bodies.push(Buffer.from(request.body).toString())
          peers.add(request.peer)
          request.reply([`${bodies.length}`])
        },
        onClose: (peer) => closed.push(peer),
        onRefused: () => {}
      })
      const connection = yield* transport.connect(address, { maxMessageBytes: 100 })
      const ends: Array<string> = []
      connection.request(["x"], { timeoutMillis: 5_000, resendMillis: 5 }, (failure, reply) =>
        ends.push(failure ?? Buffer.from(reply).toString()))
      yield* until("an end", () =>
        ends.length > 0)
      return { bodies, ends, peers: peers.size, closed: closed.length }
    }).pipe(Effect.scoped, Effect.provide(TransportMemory.layer(faults)))

  const times = (count: number) => {
    let left = count
    return () => left-- > 0
  }

  it.live("lose requests, which are sent again", () =>
    Effect.gen(function*() {
      const outcome = yield* run({ dropRequest: times(2) })

      assert.deepStrictEqual(outcome, { bodies: ["x"], ends: ["1"], peers: 1, closed: 0 })
    }))

  it.live("lose replies, so that requests arrive more than once", () =>
    Effect.gen(function*() {
      const outcome = yield* run({ dropReply: times(2) })

      assert.deepStrictEqual(outcome, { bodies: ["x", "x", "x"], ends: ["3"], peers: 1, closed: 0 })
    }))

  it.live("repeat requests, of which the first reply counts", () =>
    Effect.gen(function*() {
      const outcome = yield* run({ duplicateRequest: times(1) })

      assert.deepStrictEqual(outcome, { bodies: ["x", "x"], ends: ["1"], peers: 1, closed: 0 })
    }))

  it.live("cut the connection, after which another peer sends", () =>
    Effect.gen(function*() {
      const outcome = yield* run({ cut: times(1) })

      assert.deepStrictEqual(outcome, { bodies: ["x"], ends: ["1"], peers: 1, closed: 1 })
    }))
})
