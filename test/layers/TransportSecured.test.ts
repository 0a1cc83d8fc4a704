import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { roles } from "../../src/domain/Role.ts"
import { defaults } from "../../src/domain/Settings.ts"
import * as Secret from "../../src/layers/Secret.ts"
import * as TransportMemory from "../../src/layers/TransportMemory.ts"
import * as TransportNng from "../../src/layers/TransportNng.ts"
import * as TransportSecured from "../../src/layers/TransportSecured.ts"
import { Settings } from "../../src/services/Settings.ts"
import type { Connection, Incoming, Transport } from "../../src/services/Transport.ts"
import { until } from "../harness/Until.ts"
import { suite } from "../suites/TransportSuite.ts"

const secret = Secret.makeSecret()
const withSecret = (secret: string | undefined, insecure = false) =>
  Layer.succeed(Settings, { ...defaults, secret, insecure })
const over = (transport: Layer.Layer<Transport>, secret: string) =>
  TransportSecured.layer.pipe(Layer.provide([transport, withSecret(secret)]), Layer.orDie)

suite("TransportSecured over memory", over(TransportMemory.layer(), secret), {
  anywhere: "memory://name:0",
  malformed: ["", "name", "memory://", "memory://with space"]
})

suite("TransportSecured over NNG", over(Layer.orDie(TransportNng.layer), secret), {
  anywhere: "tcp://127.0.0.1:0",
  malformed: ["", "127.0.0.1", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:x"]
})

const timing = { timeoutMillis: 5_000, resendMillis: 1_000 }
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()

const ask = (connection: Connection, text: string) =>
  Effect.callback<string>((resume) => {
    const cancel = connection.request([text], timing, (failure, reply) =>
      resume(Effect.succeed(failure ?? textOf(reply))))
    return Effect.sync(cancel)
  })

interface Seen {
  readonly requests: Array<Incoming>
  readonly refused: Array<string>
  readonly all: Array<string>
}

/** A control plane with a secret over memory, the same memory for peers, and every byte that goes in. */
const start = Effect.fnUntraced(function*(planeSecret: string | undefined = secret) {
  const memory = TransportMemory.make()
  const seen: Seen = { requests: [], refused: [], all: [] }
  const tapped: Transport["Service"] = {
    ...memory,
    serve: (address, options) =>
      memory.serve(address, {
        ...options,
        onRequest(request) {
          seen.all.push(textOf(request.body))
          options.onRequest({
            ...request,
            reply: (payload) => {
              seen.all.push(payload.map((part) => typeof part === "string" ? part : textOf(part)).join(""))
              request.reply(payload)
            }
          })
        }
      })
  }
  const secured = (secret: string | undefined) => TransportSecured.make(tapped, { ...defaults, secret })
  const plane = secured(planeSecret)
  const { address } = yield* plane.serve("ipc:///plane", {
    maxMessageBytes: 10_000,
    onRequest(request) {
      seen.requests.push(request)
      request.reply([`hello ${request.role ?? "anybody"}`])
    },
    onClose: () => {},
    onRefused: (_, reason) => seen.refused.push(reason)
  })
  const connect = (secret: string | undefined) => secured(secret).connect(address, { maxMessageBytes: 10_000 })
  const raw = () => memory.connect(address, { maxMessageBytes: 10_000 })
  return { address, connect, memory, plane, raw, secured, seen }
})

const json = (text: string) => JSON.parse(text) as Record<string, never> & { error: { _tag: string; reason: string } }

describe("a control plane with a secret", () => {
  it.live("lets in who has it, as an operator", () =>
    Effect.gen(function*() {
      const { connect, seen } = yield* start()
      const connection = yield* connect(secret)

      assert.strictEqual(yield* ask(connection, "a"), "hello operator")
      assert.strictEqual(yield* ask(connection, "b"), "hello operator")
      assert.lengthOf(seen.requests, 2)
    }).pipe(Effect.scoped))

  for (const role of roles) {
    it.live(`knows the role of a key: ${role}`, () =>
      Effect.gen(function*() {
        const { connect } = yield* start()

        assert.strictEqual(yield* ask(yield* connect(Secret.roleKeyText(secret, role)), "a"), `hello ${role}`)
      }).pipe(Effect.scoped))
  }

  it.live("makes one handshake for many requests at once", () =>
    Effect.gen(function*() {
      const { connect, seen } = yield* start()
      const connection = yield* connect(secret)

      const replies = yield* Effect.all(Array.from({ length: 50 }, (_, i) => ask(connection, `${i}`)), {
        concurrency: "unbounded"
      })

      assert.isTrue(replies.every((reply) => reply === "hello operator"))
      assert.lengthOf(seen.all.filter((message) => message.includes("\"op\":\"auth\"")), 2)
    }).pipe(Effect.scoped))

  it.live("says to who has none what to do, and lets nothing through", () =>
    Effect.gen(function*() {
      const { connect, seen } = yield* start()

      const { error } = json(yield* ask(yield* connect(undefined), "a"))

      assert.strictEqual(error._tag, "Unauthorized")
      assert.include(error.reason, "FASTWORKER_SECRET")
      assert.lengthOf(seen.requests, 0)
    }).pipe(Effect.scoped))

  it.live("is not taken for ours when it has another secret, and is told so", () =>
    Effect.gen(function*() {
      const { connect, seen } = yield* start()

      const { error } = json(yield* ask(yield* connect(Secret.makeSecret()), "a"))
      yield* until("the refusal at the control plane", () => seen.refused.length > 0)

      assert.strictEqual(error._tag, "Unauthorized")
      assert.include(error.reason, "does not have the secret")
      assert.include(seen.refused.join(), "secrets differ")
      assert.lengthOf(seen.requests, 0)
    }).pipe(Effect.scoped))

  it.live("does not learn what a client sends when it can't prove itself", () =>
    Effect.gen(function*() {
      const { connect, seen } = yield* start(Secret.makeSecret())

      yield* ask(yield* connect(secret), "card number")

      assert.notInclude(seen.all.join(), "card number")
    }).pipe(Effect.scoped))

  it.live("is not impersonated by who holds the key of a role", () =>
    Effect.gen(function*() {
      const roleKey = Secret.roleKeyText(secret, "worker")
      const { memory } = yield* start()
      const fake = TransportSecured.make(memory, { ...defaults, secret: roleKey })

      const served = yield* Effect.flip(
        fake.serve("ipc:///fake", { maxMessageBytes: 1, onRequest() {}, onClose() {}, onRefused() {} })
      )

      assert.include(served.message, "needs the secret itself")
    }).pipe(Effect.scoped))

  it.live("never gets or sends the secret or a key", () =>
    Effect.gen(function*() {
      const { connect, seen } = yield* start()
      yield* ask(yield* connect(secret), "a")
      yield* ask(yield* connect(Secret.roleKeyText(secret, "client")), "a")

      const sent = seen.all.join()
      for (const role of roles) {
        const key = Secret.peerKey(Secret.roleKeyText(secret, role)).key
        for (const form of ["hex", "base64", "base64url"] as const) assert.notInclude(sent, key.toString(form))
      }
      assert.notInclude(sent, secret)
    }).pipe(Effect.scoped))

  it.live("does not let in who says again what somebody else said", () =>
    Effect.gen(function*() {
      const { connect, raw, seen } = yield* start()
      yield* ask(yield* connect(secret), "a")
      const said = seen.all.filter((message) => message.includes("\"op\":\"auth\""))
      const thief = yield* raw()

      const replies: Array<string> = []
      for (const message of said) replies.push(yield* ask(thief, message))
      replies.push(yield* ask(thief, "a"))

      assert.strictEqual(json(replies[1] as string).error._tag, "Unauthorized")
      assert.strictEqual(json(replies[2] as string).error._tag, "Unauthorized")
      assert.lengthOf(seen.requests, 1)
    }).pipe(Effect.scoped))

  it.live("refuses a handshake that is none", () =>
    Effect.gen(function*() {
      const { raw, seen } = yield* start()
      const nonce = Secret.makeNonce()

      for (
        const message of [
          { op: "auth" },
          { op: "auth", role: "king", nonce },
          { op: "auth", role: "client", nonce: "short" },
          { op: "auth", role: "client", nonce: 7 },
          { op: "auth", proof: "" },
          { op: "auth", proof: { length: 43 } }
        ]
      ) assert.strictEqual(json(yield* ask(yield* raw(), JSON.stringify(message))).error._tag, "Unauthorized")
      assert.lengthOf(seen.requests, 0)
    }).pipe(Effect.scoped))

  it.live("is proved to again when the connection was lost", () =>
    Effect.gen(function*() {
      let cuts = 0
      const memory = TransportMemory.make({ cut: () => cuts-- > 0 })
      const make = (secret: string) => TransportSecured.make(memory, { ...defaults, secret })
      const { address } = yield* make(secret).serve("ipc:///plane", {
        maxMessageBytes: 10_000,
        onRequest: (request) => request.reply([`hello ${request.role}`]),
        onClose: () => {},
        onRefused: () => {}
      })
      const connection = yield* make(secret).connect(address, { maxMessageBytes: 10_000 })
      yield* ask(connection, "a")

      for (let i = 0; i < 5; i++) {
        cuts = 1
        const replies = yield* Effect.all([ask(connection, "b"), ask(connection, "c")], { concurrency: 2 })
        assert.deepStrictEqual(replies, ["hello operator", "hello operator"])
      }
    }).pipe(Effect.scoped))
})

describe("announcements", () => {
  const topic = "fastworker/default "

  it.live("reach who has the secret, whole and without the signature", () =>
    Effect.gen(function*() {
      const { plane, secured } = yield* start()
      const got: Array<string> = []
      yield* plane.publish("ipc:///announced", { welcome: () => [topic, "{}"] })
      for (const key of [secret, Secret.roleKeyText(secret, "observer"), undefined]) {
        yield* secured(key).subscribe("ipc:///announced", { topic, onMessage: (body) => got.push(textOf(body)) })
      }
      yield* until("three announcements", () => got.length === 3)

      assert.deepStrictEqual(got, [`${topic}{}`, `${topic}{}`, `${topic}{}`])
    }).pipe(Effect.scoped))

  it.live("are ignored when another secret signed them, or none, or they were changed", () =>
    Effect.gen(function*() {
      const { memory, secured } = yield* start()
      const got: Array<string> = []
      const other = TransportSecured.make(memory, { ...defaults, secret: Secret.makeSecret() })
      yield* secured(secret).subscribe("ipc:///others", { topic, onMessage: (body) => got.push(textOf(body)) })
      const signed = Secret.signAnnouncement(
        Secret.planeKey(secret) as Secret.PlaneKey,
        Buffer.from(`${topic}{"a":1}`)
      )
      const last = yield* memory.publish("ipc:///others", { welcome: () => [`${topic}{}`] })
      last.send([`${topic}{"a":2}\n${signed}`])
      last.send([`${topic}{"a":1}\n${signed}`])
      yield* until("the right one", () => got.length > 0)

      assert.deepStrictEqual(got, [`${topic}{"a":1}`])
      yield* other.publish("ipc:///third", { welcome: () => [`${topic}{}`] })
      yield* secured(secret).subscribe("ipc:///third", { topic, onMessage: (body) => got.push(textOf(body)) })
      assert.lengthOf(got, 1)
    }).pipe(Effect.scoped))
})

describe("listening beyond this machine", () => {
  const serve = (address: string, secret: string | undefined, insecure: boolean) =>
    TransportSecured.make(TransportMemory.make(), { ...defaults, secret, insecure }).serve(address, {
      maxMessageBytes: 1,
      onRequest() {},
      onClose() {},
      onRefused() {}
    }).pipe(Effect.scoped, Effect.result, Effect.map(({ _tag }) => _tag === "Success"))

  it.live("needs a secret, or that somebody says so", () =>
    Effect.gen(function*() {
      for (
        const address of ["tcp://0.0.0.0:5555", "tcp://[::]:5555", "tcp://10.0.0.1:1", "tcp://:5555", "tcp://host:1"]
      ) {
        assert.isFalse(yield* serve(address, undefined, false), address)
        assert.isTrue(yield* serve(address, secret, false), address)
        assert.isTrue(yield* serve(address, undefined, true), address)
      }
    }))

  it.live("is not what local addresses do", () =>
    Effect.gen(function*() {
      for (
        const address of [
          "tcp://127.0.0.1:5555",
          "tcp://127.8.8.8:1",
          "tcp://localhost:5555",
          "tcp://[::1]:5555",
          "ipc:///tmp/x",
          "inproc://x",
          "abstract://x"
        ]
      ) assert.isTrue(yield* serve(address, undefined, false), address)
    }))

  it("is not hidden by a name that begins like a local one", () => {
    for (const address of ["tcp://localhost.example.org:1", "tcp://127.0.0.1.example.org:1", "tcp://x-localhost:1"]) {
      assert.isFalse(TransportSecured.isLocal(address), address)
    }
  })
})
