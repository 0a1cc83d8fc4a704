/** What one peer may take: connections, time, requests, bytes, depth. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { defaults } from "../../src/domain/Settings.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"
import * as Secret from "../../src/layers/Secret.ts"
import * as TransportNng from "../../src/layers/TransportNng.ts"
import * as TransportSecured from "../../src/layers/TransportSecured.ts"
import type { Connection, Incoming, PeerLimits } from "../../src/services/Transport.ts"
import { openLink } from "../chaos/Proxy.ts"
import { connectRaw, greeting, protocols, requestFrame } from "../harness/RawPeer.ts"
import { startClient, startControlPlane, startWorker } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"

const secret = Secret.makeSecret()

/** Serves on a loopback port; requests wait for an answer until the test gives one. */
const serve = Effect.fnUntraced(function*(
  limits: PeerLimits,
  { authTimeoutMillis = 10_000, ...settings }: { readonly secret?: string; readonly authTimeoutMillis?: number } = {}
) {
  const transport = TransportSecured.make(TransportNng.make(), { ...defaults, ...settings, authTimeoutMillis })
  const requests: Array<Incoming> = []
  const refused: Array<string> = []
  const { address } = yield* transport.serve("tcp://127.0.0.1:0", {
    maxMessageBytes: 1_000_000,
    limits,
    onRequest: (request) => void requests.push(request),
    onClose: () => {},
    onRefused: (_, reason) => void refused.push(reason)
  })
  const connect = (to = address) =>
    TransportSecured.make(TransportNng.make(), { ...defaults, ...settings }).connect(to, { maxMessageBytes: 1_000_000 })
  return { address, connect, requests, refused }
})

/** A peer that has greeted. */
const greeted = Effect.fnUntraced(function*(address: string) {
  const peer = yield* connectRaw(address)
  peer.socket.write(greeting(protocols.req))
  yield* until("it was greeted", () => peer.received() >= 8)
  return peer
})

const ask = (connection: Connection, text: string) =>
  Effect.callback<string>((resume) => {
    const cancel = connection.request([text], { timeoutMillis: 5_000, resendMillis: 1_000 }, (failure, reply) =>
      resume(Effect.succeed(failure ?? Buffer.from(reply).toString())))
    return Effect.sync(cancel)
  })

describe("one peer", () => {
  it.live("has so many connections from one address, and another when one is gone", () =>
    Effect.gen(function*() {
      const { address, refused } = yield* serve({ maxConnectionsPerAddress: 3 })
      const first = yield* greeted(address)
      // One that has not greeted counts too.
      yield* connectRaw(address)
      yield* greeted(address)
      const fourth = yield* connectRaw(address)

      yield* until("the fourth is closed", () => fourth.isClosed())
      yield* until("it was said", () => refused.length === 1)
      assert.match(refused[0] ?? "", /127\.0\.0\.1 has 3 connections/u)
      first.socket.destroy()
      yield* until(
        "there is room again",
        Effect.scoped(Effect.gen(function*() {
          const peer = yield* connectRaw(address)
          peer.socket.write(greeting(protocols.req))
          yield* until("it is greeted or closed", () => peer.received() >= 8 || peer.isClosed())
          return peer.received() >= 8
        }))
      )
    }))

  it.live("is not refused when it hangs up before it has greeted, as a process that stops does", () =>
    Effect.gen(function*() {
      const { address, refused } = yield* serve({})
      const leaving = yield* connectRaw(address)
      yield* until("it is greeted", () => leaving.received() >= 8)
      leaving.socket.resetAndDestroy()
      const stranger = yield* connectRaw(address)
      stranger.socket.write("GET / HTTP/1.1\r\n\r\n")

      yield* until("the stranger is refused", () => refused.length > 0)
      assert.lengthOf(refused, 1)
      assert.notInclude(refused[0], "ECONNRESET")
    }))

  it.live("proves that it has the secret within a time, or is closed; a client of ours does so without being asked", () =>
    Effect.gen(function*() {
      const { address, connect, refused, requests } = yield* serve({}, { secret, authTimeoutMillis: 300 })
      const ours = yield* connect()
      const silent = yield* greeted(address)
      const chatty = yield* greeted(address)
      chatty.socket.write(requestFrame(1, `{"v":1,"op":"stats"}\n`))

      yield* until("both strangers are closed", () => silent.isClosed() && chatty.isClosed())
      assert.deepStrictEqual(refused, [
        "it has not proved within 0.3 s that it has the secret",
        "it has not proved within 0.3 s that it has the secret"
      ])
      const answer = yield* Effect.forkChild(ask(ours, "x".repeat(400_000)))
      yield* until("the large request of who has proved it came", () => requests.length === 1)
      requests[0]?.reply(["fine"])
      assert.strictEqual(yield* Fiber.join(answer), "fine")
      assert.lengthOf(refused, 2)
    }))

  it.live("that is connected again sends a large request once more, and proves itself after it", () =>
    Effect.gen(function*() {
      const { address, connect, refused, requests } = yield* serve({}, { secret, authTimeoutMillis: 2_000 })
      const link = yield* Effect.acquireRelease(
        Effect.promise(() => openLink(Number(address.slice(address.lastIndexOf(":") + 1)))),
        ({ close }) => Effect.promise(close)
      )
      const ours = yield* connect(link.address)
      const answer = yield* Effect.forkChild(ask(ours, "x".repeat(900_000)))
      yield* until("it came", () => requests.length === 1)
      link.cut()
      link.heal()
      yield* until("it came again", () => requests.length === 2)
      requests[1]?.reply(["fine"])
      assert.strictEqual(yield* Fiber.join(answer), "fine")
      assert.deepStrictEqual(refused, [])
    }))

  it.live("has so many unanswered requests, and so many bytes of them; then it is read on", () =>
    Effect.gen(function*() {
      const few = yield* serve({ maxRequestsPerConnection: 2 })
      const small = yield* serve({ maxRequestBytesPerConnection: 10_000 })
      const large = "x".repeat(8_000)
      for (const { address } of [few, small]) {
        const peer = yield* greeted(address)
        for (let id = 1; id <= 5; id++) peer.socket.write(requestFrame(id, large))
      }
      for (const { address, requests } of [few, small]) {
        yield* until("two came", () => requests.length >= 2)
        // Whoever comes later is served: what is held back is not read at all.
        const other = yield* greeted(address)
        other.socket.write(requestFrame(9, "other"))
        yield* until("another peer is served", () => requests.some(({ body }) => body.length === 5))
        assert.lengthOf(requests, 3)
        requests[0]?.reply(["done"])
        yield* until("the next came", () => requests.length === 4)
      }
    }))
})

/** As many objects within one another. */
const nested = (levels: number): unknown => levels === 0 ? 0 : { a: nested(levels - 1) }

const deep = Task.make("deep", {
  args: { value: Schema.Unknown, result: Schema.Int },
  success: Schema.Unknown
})

describe("JSON that is nested too deep", () => {
  it.live("is refused by the client that knows the limit, by the control plane otherwise, and fails as a result", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane({ maxPayloadDepth: 100 })
      const handlers = deep.toLayer(({ result }) => Effect.succeed(nested(result)))
      yield* startWorker(plane, handlers, { id: "one" })
      const client = yield* startClient(plane)
      const knowing = yield* startClient(plane, { maxPayloadDepth: 100 })

      assert.deepStrictEqual(yield* client.run(deep, { value: nested(99), result: 100 }), nested(100))
      const refused = yield* Effect.flip(client.run(deep, { value: nested(100), result: 0 }))
      const ours = yield* Effect.flip(knowing.run(deep, { value: nested(100), result: 0 }))
      const result = yield* Effect.flip(client.run(deep, { value: 0, result: 101 }))
      assert.strictEqual(refused._tag, "BadRequest")
      assert.include(refused.message, "nested deeper than 100 levels")
      assert.strictEqual(ours._tag, "InvalidArguments")
      assert.include(ours.message, "nested deeper than 100 levels")
      assert.strictEqual(result._tag, "TaskDefect")
      assert.include(result.message, "nested deeper than 100 levels")
    }))
})
