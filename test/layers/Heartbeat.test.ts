import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { Rep } from "node-nng"
import * as Heartbeat from "../../src/layers/Heartbeat.ts"
import { eventually } from "../harness/Cluster.ts"
import { until } from "../harness/Until.ts"

const session = "b".repeat(32)
const times = { heartbeatMillis: 100, heartbeatTimeoutMillis: 15_000 }

/** What a control plane hears of beats. */
const listen = Effect.acquireRelease(
  Effect.promise(async () => {
    const rep = new Rep()
    const heard: Array<string> = []
    let open = 0
    rep.onPipe(() => open++)
    rep.onPipeClose(() => open--)
    rep.onRequest((request) => {
      heard.push(Buffer.from(request.body).toString())
      void request.reply("{\"v\":1}\n")
    })
    const { address } = await rep.listen("tcp://127.0.0.1:0")
    return { address, heard, open: () => open, close: () => rep.close() }
  }),
  ({ close }) => Effect.promise(close)
)

describe("start", () => {
  it.live("beats at once and again and again for its session, until its scope closes", () =>
    Effect.gen(function*() {
      const plane = yield* listen
      const scope = yield* Scope.make()
      const beatAt = yield* Heartbeat.start(session).pipe(Scope.provide(scope))
      beatAt({ address: plane.address, ...times })
      yield* until("three beats", () => plane.heard.length >= 3)
      const open = plane.open()
      yield* Scope.close(scope, Exit.void)
      yield* until("the end of its connection", () => plane.open() === 0)

      assert.strictEqual(open, 1)
      const [first] = plane.heard
      assert.deepStrictEqual(JSON.parse(first ?? ""), { v: 1, op: "beat", session, lag: 0 })
      assert.isTrue(first?.endsWith("}\n"))
    }))

  it.live("says how far the event loop is behind, and that it is not any more", () =>
    Effect.gen(function*() {
      const plane = yield* listen
      const beatAt = yield* Heartbeat.start(session)
      beatAt({ address: plane.address, ...times })
      yield* until("a beat", () => plane.heard.length > 0)

      // This blocks the one who listens too: what was said meanwhile is read afterwards.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000)
      const lags = () => plane.heard.map((text) => (JSON.parse(text) as { readonly lag: number }).lag)
      yield* until("what was said meanwhile", () => lags().some((lag) => lag > 1_000))
      yield* until("a beat of a loop that runs", () => lags().at(-1) === 0)

      assert.strictEqual(lags()[0], 0)
      assert.isBelow(Math.max(...lags()), 2_200)
    }))

  it.live("goes where its worker is registered, and only there", () =>
    Effect.gen(function*() {
      const before = yield* listen
      const after = yield* listen
      const beatAt = yield* Heartbeat.start(session)
      beatAt({ address: before.address, ...times })
      yield* until("a beat", () => before.heard.length > 0)
      beatAt({ address: after.address, ...times })
      yield* until("a beat elsewhere", () => after.heard.length > 0)
      yield* until("the end of the first connection", () => before.open() === 0)
      beatAt({ address: after.address, ...times })
      const heard = after.heard.length
      yield* until("two beats more", () => after.heard.length >= heard + 2)

      assert.strictEqual(after.open(), 1)
    }))

  it.live("says so once when the thread ends, and does without it", () =>
    Effect.gen(function*() {
      const messages: Array<string> = []
      const plane = yield* listen
      yield* Effect.gen(function*() {
        const beatAt = yield* Heartbeat.start(session)
        beatAt({ address: "no address at all", ...times })
        yield* Effect.promise(() => eventually("a word of it", () => messages.length > 0))
        beatAt({ address: plane.address, ...times })
      }).pipe(
        Effect.scoped,
        Effect.provide(Logger.layer([Logger.make(({ message }) => messages.push(String(message)))]))
      )

      assert.lengthOf(messages, 1)
      assert.match(messages[0] ?? "", /^No heartbeats any more: .*no address at all.*for 15s now loses its worker$/u)
    }))
})
