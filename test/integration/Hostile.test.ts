/** Peers that send what no proper peer would, while a proper one goes on working beside them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { Req } from "node-nng"
import { defaults } from "../../src/domain/Settings.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"
import { maxMessageBytes } from "../../src/layers/Envelope.ts"
import type { ControlPlane } from "../../src/services/ControlPlane.ts"
import { bytesInUse } from "../harness/Memory.ts"
import { makeRandom } from "../harness/random.ts"
import { connectRaw, frameHead, greeting, protocols, requestFrame } from "../harness/RawPeer.ts"
import { startClient, startControlPlane, startWorker } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"

type Plane = ControlPlane["Service"]

/** What memory in use may grow by while somebody misbehaves. */
const maxGrowthBytes = 16 * 1024 * 1024

/** What is remembered of finished tasks is full before the attack: it grows by no more, however fast they run meanwhile. */
const few = { maxHistory: 200, resultCacheSize: 200, tombstones: 200 }

const square = Task.define("square", {
  args: { x: Schema.Int },
  success: Schema.Struct({ x: Schema.Int, square: Schema.Int }),
  run: ({ x }) => Effect.succeed({ x, square: x * x })
})

/** Lets a client run tasks and check each result while `attack` goes on; then nothing may be missing or left over. */
const beside = <E, R>(attack: (plane: Plane, logs: ReadonlyArray<string>) => Effect.Effect<void, E, R>) => {
  const logs: Array<string> = []
  const logger = Logger.make(({ message }) => void logs.push(String(message)))
  return Effect.gen(function*() {
    const plane = yield* startControlPlane(few)
    yield* startWorker(plane, square.layer, { id: "w" })
    const client = yield* startClient(plane, { deadlineMillis: 10_000 })
    const attacked = { isOver: false }
    let ran = 0
    const batch = Effect.gen(function*() {
      const xs = Array.from({ length: 20 }, () => ran++)
      const results = yield* Effect.forEach(xs, (x) => client.run(square, { x }), { concurrency: 20 })
      assert.deepStrictEqual(results, xs.map((x) => ({ x, square: x * x })))
    })
    for (let i = 0; i < 20; i++) yield* batch
    const before = bytesInUse()
    const work = yield* Effect.forkChild(Effect.gen(function*() {
      while (!attacked.isOver) {
        yield* batch
        yield* Effect.sleep(2)
      }
    }))

    yield* Effect.scoped(attack(plane, logs))

    attacked.isOver = true
    yield* Fiber.join(work)
    yield* batch
    yield* until("the end of all tasks", Effect.map(plane.stats, ({ running, waiting }) => running + waiting === 0))
    const { cancelled, crashes, failed, lateReports, submitted, succeeded } = yield* plane.stats
    assert.deepStrictEqual({ crashes, lateReports, lost: submitted - succeeded - failed - cancelled }, {
      crashes: 0,
      lateReports: 0,
      lost: 0
    })
    assert.isAtLeast(succeeded, ran)
    yield* bounded(before)
  }).pipe(Effect.provide(Logger.layer([logger])))
}

/** What the system still holds of buffers that are gone is given back in the next turns. */
const bounded = (before: number) =>
  until(`at most ${maxGrowthBytes} bytes more in use`, () => bytesInUse() - before < maxGrowthBytes, 3_000)

const logged = (logs: ReadonlyArray<string>, pattern: RegExp, count = 1) =>
  until(`${count} log entries like ${pattern}`, () => logs.filter((line) => pattern.test(line)).length >= count)

const ports: ReadonlyArray<readonly [name: string, address: (plane: Plane) => string, protocol: number]> = [
  ["client", ({ address }) => address, protocols.req],
  ["worker", ({ workerAddress }) => workerAddress, protocols.req],
  ["discovery", ({ discovery }) => discovery, protocols.sub]
]

describe.each(ports)("on the %s port, a stranger", (name, addressOf, protocol) => {
  const isLogged = name !== "discovery"

  /** Sends bytes on a connection of its own and waits until it is closed from the other side. */
  const sendAndBeRefused = (bytes: Uint8Array, pattern: RegExp) =>
    beside(Effect.fnUntraced(function*(plane, logs) {
      const peer = yield* connectRaw(addressOf(plane))
      peer.socket.write(bytes)
      yield* until("the connection to be closed", peer.isClosed)
      if (isLogged) yield* logged(logs, pattern)
    }))

  it.live("that speaks something else is refused, and the log says so", () =>
    sendAndBeRefused(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), /refused: .*sent no SP greeting/u))

  it.live("that speaks another protocol of NNG is refused, and the log says so", () =>
    sendAndBeRefused(greeting(protocols.pair), /refused: .*(PAIR|0x10|protocol)/u))

  it.live("that announces 2^63 bytes is refused, and the log says so", () =>
    sendAndBeRefused(
      Buffer.concat([greeting(protocol), frameHead(2n ** 63n)]),
      /refused: message of 9223372036854776000 bytes announced/u
    ))

  it.live("that announces one byte more than the limit is refused before it sends it", () => {
    const length = maxMessageBytes(defaults.maxPayloadBytes) + 1
    const bytes = Buffer.concat([greeting(protocol), frameHead(BigInt(length))])
    return sendAndBeRefused(bytes, new RegExp(`refused: message of ${length} bytes announced`, "u"))
  })

  it.live("that sends random bytes, a hundred times, disturbs nobody", () =>
    beside(Effect.fnUntraced(function*(plane) {
      const random = makeRandom(20_261_122)
      const below = (end: number) => Math.floor(random() * end)
      for (let i = 0; i < 100; i++) {
        const noise = Uint8Array.from({ length: 1 + below(400) }, () => below(256))
        const framed = Buffer.concat([greeting(protocol), frameHead(BigInt(noise.length)), noise])
        const peer = yield* connectRaw(addressOf(plane))
        peer.socket.end(i % 3 === 0 ? noise : i % 3 === 1 ? framed : framed.subarray(0, below(framed.length)))
        yield* until("the connection to be closed", peer.isClosed)
      }
    })))

  it.live("whose connection is cut in the middle of a message is forgotten", () =>
    beside(Effect.fnUntraced(function*(plane, logs) {
      for (let i = 0; i < 20; i++) {
        const peer = yield* connectRaw(addressOf(plane))
        peer.socket.end(Buffer.concat([greeting(protocol), frameHead(1_000_000n), new Uint8Array(10 + i)]))
        yield* until("the connection to be closed", peer.isClosed)
      }
      if (isLogged) yield* logged(logs, /closed in the middle of a message/u, 1)
    })))
})

describe("200 strangers that greet half and then are silent", () => {
  it.live(
    "are refused after the time for a greeting, and others are served meanwhile",
    () =>
      beside(Effect.fnUntraced(function*(plane, logs) {
        const addresses = [plane.address, plane.workerAddress, plane.discovery]
        const peers = yield* Effect.forEach(
          Array.from({ length: 200 }, (_, i) => i),
          (i) => connectRaw(addresses[i % 3] ?? "")
        )
        for (const { socket } of peers) socket.write(greeting(protocols.req).subarray(0, 4))
        yield* until("all of them to be closed", () => peers.every((peer) => peer.isClosed()), 20_000)
        // One line in a second for each kind of address, with how many there were.
        yield* logged(logs, /greeting|handshake/u, 2)
      })),
    40_000
  )
})

describe("a stranger that keeps to the transport and not to the protocol", () => {
  /** Sends messages one by one, and checks the error of each reply. */
  const sendAll = (
    addressOf: (plane: Plane) => string,
    messages: ReadonlyArray<readonly [message: () => string, tag: string, reason: RegExp]>
  ) =>
    beside(Effect.fnUntraced(function*(plane) {
      const req = yield* Effect.acquireRelease(
        Effect.sync(() => new Req({ receiveMaxBytes: 0 })),
        (socket) => Effect.promise(() => socket.close())
      )
      req.dial(addressOf(plane))
      for (const [makeMessage, tag, reason] of messages) {
        const message = makeMessage()
        const reply = yield* Effect.tryPromise(() => req.request(message, { timeoutMillis: 10_000 }))
        const text = Buffer.from(reply).toString()
        const { error } = JSON.parse(text) as { readonly error: { readonly _tag: string; readonly message: string } }
        assert.strictEqual(error._tag, tag, message.slice(0, 80))
        assert.match(error.message, reason)
        assert.isBelow(text.length, 2_000)
      }
    }))

  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth)
  // Deeper than the stack.
  const deep = () => nested(200_000)
  const session = "0".repeat(32)

  // Made when they are sent: some are large, and must not count as memory that the control plane holds.
  const broken: ReadonlyArray<readonly [() => string, string, RegExp]> = [
    [() => "", "BadRequest", /first line of this one is not JSON/u],
    [() => "{\"v\":1", "BadRequest", /first line of this one is not JSON/u],
    [() => "x".repeat(10_000_000), "BadRequest", /first line of this one is not JSON/u],
    [() => `${nested(5_000_000)}\n`, "BadRequest", /nested deeper than 64 levels/u],
    [() => `${deep()}\n`, "BadRequest", /not a JSON object/u],
    // Brackets in a string are none.
    [() => `{"v":1,"op":"\\"${"[{".repeat(1_000_000)}"}\n`, "BadRequest", /unknown op "\\"\[\{/u],
    [() => `{"v":${deep()}}\n`, "ProtocolMismatch", /version "an array"/u],
    [() => `{"v":"${"1".repeat(1_000_000)}"}\n`, "ProtocolMismatch", /version "1{64}"/u],
    [() => `{"v":1,"op":${deep()}}\n`, "BadRequest", /unknown op "an array"/u],
    [() => `{"v":1,"op":"${"x".repeat(1_000_000)}"}\n`, "BadRequest", /unknown op "x{64}"/u],
    [() => "{\"v\":1,\"op\":\"__proto__\"}\n", "BadRequest", /unknown op "__proto__"/u]
  ]

  it.live("as a client is told what was wrong, however long or deep it was", () =>
    sendAll(({ address }) => address, [
      ...broken,
      [() => `{"v":1,"op":"result","id":${deep()}}\n`, "BadRequest", /id: /u],
      [() => `{"v":1,"op":"submit","tasks":[${deep()}]}\n`, "BadRequest", /tasks\.0: /u],
      [
        () => `{"v":1,"op":"submit","tasks":[{"name":"square","size":2}]}\n{}x`,
        "BadRequest",
        /add up to 2 bytes, the body has 3/u
      ],
      [
        () => `{"v":1,"op":"submit","tasks":[{"name":"square","size":9007199254740991},{"name":"square"}]}\n{}`,
        "BadRequest",
        /add up/u
      ]
    ]))

  it.live("as a worker is told what was wrong, however long or deep it was", () =>
    sendAll(({ workerAddress }) => workerAddress, [
      ...broken,
      [
        () =>
          `{"v":1,"op":"register","session":"${session}","worker":"w","slots":1,"tasks":[],"about":{"host":${deep()}}}\n`,
        "BadRequest",
        /about\.host: /u
      ],
      [() => `{"v":1,"op":"exchange","session":"${session}","seq":0,"free":1}\n`, "BadRequest", /seq: /u],
      [() => `{"v":1,"op":"exchange","session":"${session}","seq":1,"free":1}\n`, "UnknownSession", /register again/u]
    ]))

  it.live("as a worker whose sizes don't add up changes nothing by its reports", () =>
    beside(Effect.fnUntraced(function*(plane) {
      const req = yield* Effect.acquireRelease(
        Effect.sync(() => new Req()),
        (socket) => Effect.promise(() => socket.close())
      )
      req.dial(plane.workerAddress)
      const say = (header: object, body = "") =>
        Effect.tryPromise(() => req.request(`${JSON.stringify({ v: 1, session, ...header })}\n${body}`)).pipe(
          Effect.map((bytes) => Buffer.from(bytes).toString())
        )
      yield* say({ op: "register", worker: "bad", slots: 1, tasks: [{ name: "other" }] })
      const reports = [{ id: "a", attempt: 1, state: "succeeded", size: 5 }]
      assert.match(yield* say({ op: "exchange", seq: 1, free: 1, reports }, "1"), /add up to 5 bytes, the body has 1/u)
      assert.match(yield* say({ op: "leave", reports }, "1"), /add up to 5 bytes, the body has 1/u)
      assert.strictEqual(yield* say({ op: "leave" }), "{\"v\":1}\n")
    })))

  it.live("as a client that submits and asks and never reads is not read any further", () =>
    beside(Effect.fnUntraced(function*(plane) {
      const before = bytesInUse()
      const peer = yield* connectRaw(plane.address, { reads: false })
      peer.socket.write(greeting(protocols.req))
      const submit = requestFrame(
        1,
        "{\"v\":1,\"op\":\"submit\",\"tasks\":[{\"id\":\"unread\",\"name\":\"square\"}]}\n{\"x\":1}"
      )
      const list = requestFrame(2, "{\"v\":1,\"op\":\"list\",\"limit\":10000}\n")
      const many = Buffer.concat(Array.from({ length: 500 }, (_, i) => i % 10 === 0 ? list : submit))
      let written = 0
      // Until its bytes stay where they are: some are in buffers of the two systems, the rest is not taken.
      for (let idle = 0; idle < 100; idle++) {
        if (peer.socket.writableLength < 1_000_000) {
          peer.socket.write(many)
          written += many.length
          idle = 0
        }
        assert.isBelow(written, 200_000_000)
        yield* Effect.sleep(2)
      }
      assert.isFalse(peer.isClosed())
      yield* bounded(before)
    })))
})
