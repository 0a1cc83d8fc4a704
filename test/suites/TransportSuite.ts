/** What every transport must do, over its contract alone: `suite` is run for each layer of it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { AddressError } from "../../src/domain/Errors.ts"
import type { Connection, Incoming, Payload } from "../../src/services/Transport.ts"
import { Transport } from "../../src/services/Transport.ts"
import { until } from "../harness/Until.ts"

export interface Options {
  /** Addresses to listen on where the transport chooses a free one. */
  readonly anywhere: string
  readonly malformed: ReadonlyArray<string>
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

const limit = 1_000

interface Serving {
  readonly address: string
  readonly requests: Array<Incoming>
  readonly closed: Array<number>
  readonly refused: Array<string>
}

/** Serves on an address, and keeps what happens; answers by `onRequest`. */
const serve = Effect.fnUntraced(function*(address: string, onRequest: (request: Incoming) => void = () => {}) {
  const transport = yield* Transport
  const serving = { requests: new Array<Incoming>(), closed: new Array<number>(), refused: new Array<string>() }
  const bound = yield* transport.serve(address, {
    maxMessageBytes: limit,
    onRequest(request) {
      // What is kept must be copied.
      serving.requests.push({ ...request, body: Buffer.from(request.body) })
      onRequest(request)
    },
    onClose: (peer) => serving.closed.push(peer),
    onRefused: (remote, reason) => serving.refused.push(`${remote}: ${reason}`)
  })
  return { ...bound, ...serving } satisfies Serving
})

const connect = (address: string) =>
  Effect.flatMap(Transport, (transport) => transport.connect(address, { maxMessageBytes: limit }))

const echo = (request: Incoming) => request.reply([`echo `, Buffer.from(request.body)])

interface Timing {
  readonly timeoutMillis?: number
  readonly resendMillis?: number
}

/** What a request ended with: the reply, or why there is none. */
const ask = (
  connection: Connection,
  payload: Payload,
  { resendMillis = 20_000, timeoutMillis = 10_000 }: Timing = {}
) =>
  Effect.callback<string, string>((resume) => {
    const cancel = connection.request(payload, { resendMillis, timeoutMillis }, (failure, reply) =>
      resume(failure === undefined ? Effect.succeed(text(reply)) : Effect.fail(failure)))
    return Effect.sync(cancel)
  })

/** An address on which nothing listens now. */
const unused = (anywhere: string) => Effect.scoped(Effect.map(serve(anywhere), ({ address }) => address))

export const suite = (name: string, layer: Layer.Layer<Transport>, { anywhere, malformed }: Options) => {
  /** A test with a transport of its own, in real time. */
  const test = <E>(title: string, effect: Effect.Effect<void, E, Transport | Scope.Scope>) =>
    it.live(title, () => effect.pipe(Effect.scoped, Effect.provide(layer)))

  describe(`${name}: requests`, () => {
    test(
      "are answered, with the parts of a message joined and text as UTF-8",
      Effect.gen(function*() {
        const server = yield* serve(anywhere, echo)
        const connection = yield* connect(server.address)

        const reply = yield* ask(connection, ["grün ", Buffer.from([0x62]), "", "c"])
        const empty = yield* ask(connection, [])

        assert.deepStrictEqual([reply, empty], ["echo grün bc", "echo "])
        assert.strictEqual(connection.address, server.address)
      })
    )

    test(
      "may be many at once, and are answered in any order, each with its own reply",
      Effect.gen(function*() {
        const count = 200
        const held: Array<Incoming> = []
        const server = yield* serve(anywhere, (request) => {
          held.push({ ...request, body: Buffer.from(request.body) })
          if (held.length === count) { for (const each of held.toReversed()) echo(each) }
        })
        const connection = yield* connect(server.address)

        const replies = yield* Effect.forEach(
          Array.from({ length: count }, (_, i) => `${i}`),
          (i) => ask(connection, [i]),
          { concurrency: "unbounded" }
        )

        assert.deepStrictEqual(replies, Array.from({ length: count }, (_, i) => `echo ${i}`))
      })
    )

    test(
      "of one connection have one peer, those of another another; its end is told",
      Effect.gen(function*() {
        const server = yield* serve(anywhere, echo)
        const scope = yield* Scope.make()
        const first = yield* connect(server.address).pipe(Scope.provide(scope))
        const second = yield* connect(server.address)
        for (const connection of [first, second, first]) yield* ask(connection, ["?"])
        const [a, b, c] = server.requests.map(({ peer }) => peer)
        const before = [...server.closed]

        yield* Scope.close(scope, Exit.void)
        yield* until("the end of the first connection to be told", () => server.closed.length > 0)

        assert.strictEqual(a, c)
        assert.notStrictEqual(a, b)
        assert.deepStrictEqual([before, server.closed], [[], [a as number]])
        assert.strictEqual(yield* ask(second, ["still here"]), "echo still here")
      })
    )

    test(
      "wait for somebody to listen, and are then sent",
      Effect.gen(function*() {
        const address = yield* unused(anywhere)
        const connection = yield* connect(address)
        const early = yield* ask(connection, ["early"]).pipe(Effect.forkChild({ startImmediately: true }))
        yield* Effect.sleep(50)

        yield* serve(address, echo)

        assert.strictEqual(yield* Fiber.join(early), "echo early")
      })
    )

    test(
      "are sent again to whoever listens next, when the connection was lost before the reply",
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const first = yield* serve(anywhere).pipe(Scope.provide(scope))
        const connection = yield* connect(first.address)
        const pending = yield* ask(connection, ["twice"]).pipe(Effect.forkChild({ startImmediately: true }))
        yield* until("the first to have the request", () => first.requests.length === 1)
        const [lost] = first.requests

        yield* Scope.close(scope, Exit.void)
        const second = yield* serve(first.address, echo)
        // A reply on a connection that is gone goes nowhere.
        lost?.reply(["too late"])

        assert.strictEqual(yield* Fiber.join(pending), "echo twice")
        assert.deepStrictEqual(second.requests.map(({ body }) => text(body)), ["twice"])
      })
    )

    test(
      "are sent again after the time to resend, and the first reply counts",
      Effect.gen(function*() {
        let seen = 0
        const server = yield* serve(anywhere, (request) => {
          if (++seen === 3) request.reply([`answered ${seen}`])
        })
        const connection = yield* connect(server.address)

        const reply = yield* ask(connection, ["again"], { resendMillis: 30 })

        assert.strictEqual(reply, "answered 3")
        assert.deepStrictEqual(new Set(server.requests.map(({ body }) => text(body))), new Set(["again"]))
      })
    )

    test(
      "end with why there is no reply: nobody listens, or nobody answers",
      Effect.gen(function*() {
        const server = yield* serve(anywhere)
        const silent = yield* connect(server.address)
        const nowhere = yield* connect(yield* unused(anywhere))

        const noAnswer = yield* Effect.flip(ask(silent, ["?"], { timeoutMillis: 300 }))
        const noServer = yield* Effect.flip(ask(nowhere, ["?"], { timeoutMillis: 300 }))

        assert.strictEqual(noAnswer, "connected, but no answer came")
        assert.match(noServer, /not connected|nothing listens/u)
      })
    )

    test(
      "end once: a reply after the timeout is not heard",
      Effect.gen(function*() {
        const server = yield* serve(anywhere)
        const connection = yield* connect(server.address)
        const ends: Array<string> = []
        const end = (failure: string | undefined, reply: Uint8Array) => ends.push(failure ?? text(reply))
        connection.request(["late"], { timeoutMillis: 50, resendMillis: 20_000 }, end)
        yield* until("the timeout", () => ends.length === 1)
        yield* until("the request", () => server.requests.length === 1)

        server.requests[0]?.reply(["a late reply"])
        connection.request(["second"], { timeoutMillis: 10_000, resendMillis: 20_000 }, end)
        yield* until("the second request", () => server.requests.length === 2)
        server.requests[1]?.reply(["second"])
        yield* until("the reply", () => ends.length === 2)
        connection.request(["third"], { timeoutMillis: 10_000, resendMillis: 20_000 }, end)
        yield* until("the third request", () => server.requests.length === 3)
        server.requests[2]?.reply(["third"])
        yield* until("the third reply", () => ends.length >= 3)

        assert.deepStrictEqual(ends, ["connected, but no answer came", "second", "third"])
      })
    )

    test(
      "that were given up end without a word",
      Effect.gen(function*() {
        const server = yield* serve(anywhere)
        const connection = yield* connect(server.address)
        const ends: Array<string> = []
        const end = (failure: string | undefined, reply: Uint8Array) => ends.push(failure ?? text(reply))
        const giveUp = connection.request(["never mind"], { timeoutMillis: 100, resendMillis: 20_000 }, end)
        yield* until("the request", () => server.requests.length === 1)

        giveUp()
        giveUp()
        server.requests[0]?.reply(["a reply"])
        // Later than the reply and the timeout of the one that was given up.
        connection.request(["?"], { timeoutMillis: 150, resendMillis: 20_000 }, end)
        yield* until("the end of the other", () => ends.length > 0)

        assert.deepStrictEqual(ends, ["connected, but no answer came"])
      })
    )

    test(
      "that are too large harm their own connection only, which works again without them",
      Effect.gen(function*() {
        const server = yield* serve(anywhere, echo)
        const large = yield* connect(server.address)
        const small = yield* connect(server.address)
        yield* ask(large, ["before"])
        yield* ask(small, ["before"])
        const peers = server.requests.map(({ peer }) => peer)

        const [failure, replies] = yield* Effect.all([
          Effect.flip(ask(large, [new Uint8Array(limit + 1)], { timeoutMillis: 400 })),
          Effect.forEach(Array.from({ length: 50 }), () => Effect.delay(ask(small, ["beside"]), 5))
        ], { concurrency: "unbounded" })
        const after = yield* ask(large, ["after"])
        // A transport may count its own header.
        const largest = yield* ask(small, [new Uint8Array(limit - 100)])

        assert.notStrictEqual(failure, "")
        assert.deepStrictEqual(new Set(replies), new Set(["echo beside"]))
        assert.deepStrictEqual([after, largest.length], ["echo after", limit - 95])
        assert.isNotEmpty(server.refused)
        assert.include(server.closed, peers[0])
        assert.notInclude(server.closed, peers[1])
      })
    )

    test(
      "whose reply is too large end without it, and harm no other connection",
      Effect.gen(function*() {
        const server = yield* serve(anywhere, (request) => {
          if (text(request.body) === "large") request.reply([new Uint8Array(limit + 1)])
          else echo(request)
        })
        const large = yield* connect(server.address)
        const small = yield* connect(server.address)

        const failure = yield* Effect.flip(ask(large, ["large"], { timeoutMillis: 300 }))
        const replies = [yield* ask(small, ["beside"]), yield* ask(large, ["after"])]

        assert.notStrictEqual(failure, "")
        assert.deepStrictEqual(replies, ["echo beside", "echo after"])
      })
    )
  })

  describe(`${name}: addresses`, () => {
    test(
      "are chosen where they may be, and are free again when the scope closes",
      Effect.gen(function*() {
        const [a, b] = [yield* serve(anywhere), yield* serve(anywhere)]
        const address = yield* unused(anywhere)
        const again = yield* serve(address, echo)

        assert.notStrictEqual(a.address, b.address)
        assert.notStrictEqual(a.address, anywhere)
        assert.strictEqual(again.address, address)
      })
    )

    test(
      "in use are an error that names them",
      Effect.gen(function*() {
        const transport = yield* Transport
        const server = yield* serve(anywhere)
        const publisher = yield* transport.publish(anywhere, { welcome: () => [""] })

        const errors = yield* Effect.all([
          Effect.flip(serve(server.address)),
          Effect.flip(transport.publish(publisher.address, { welcome: () => [""] }))
        ])

        for (const [i, { address }] of [server, publisher].entries()) {
          const error = errors[i]
          assert.instanceOf(error, AddressError)
          assert.strictEqual(error.address, address)
          assert.match(error.reason, /in use/iu)
        }
      })
    )

    for (const address of malformed) {
      test(
        `that are malformed are an error that names them: "${address}"`,
        Effect.gen(function*() {
          const transport = yield* Transport

          const errors = yield* Effect.all([
            Effect.flip(serve(address)),
            Effect.flip(connect(address)),
            Effect.flip(transport.publish(address, { welcome: () => [""] })),
            Effect.flip(transport.subscribe(address, { topic: "", onMessage: () => {} }))
          ])

          for (const error of errors) {
            assert.instanceOf(error, AddressError)
            assert.strictEqual(error.address, address)
            assert.notStrictEqual(error.reason, "")
          }
        })
      )
    }
  })

  describe(`${name}: announcements`, () => {
    const subscribe = Effect.fnUntraced(function*(address: string, topic = "") {
      const transport = yield* Transport
      const messages: Array<string> = []
      yield* transport.subscribe(address, { topic, onMessage: (body) => messages.push(text(body)) })
      return messages
    })

    test(
      "welcome each new subscriber, with what is true then",
      Effect.gen(function*() {
        const transport = yield* Transport
        let news = 1
        const publisher = yield* transport.publish(anywhere, { welcome: () => [`news `, `${news}`] })
        const first = yield* subscribe(publisher.address)
        yield* until("the first welcome", () => first.length > 0)
        news = 2
        const second = yield* subscribe(publisher.address)
        yield* until("the second welcome", () => second.length > 0)

        publisher.send(["to all"])
        yield* until("both to hear", () => [first, second].every((messages) => messages.includes("to all")))

        assert.deepStrictEqual([first, second], [["news 1", "to all"], ["news 2", "to all"]])
      })
    )

    test(
      "reach a subscriber that came before the publisher, and again after the publisher was replaced",
      Effect.gen(function*() {
        const transport = yield* Transport
        const address = yield* Effect.scoped(
          Effect.map(transport.publish(anywhere, { welcome: () => [""] }), ({ address }) => address)
        )
        const messages = yield* subscribe(address)

        yield* Effect.scoped(Effect.gen(function*() {
          yield* transport.publish(address, { welcome: () => ["one"] })
          yield* until("the first welcome", () => messages.length > 0)
        }))
        yield* transport.publish(address, { welcome: () => ["two"] })
        yield* until("the second welcome", () => messages.length > 1)

        assert.deepStrictEqual(messages, ["one", "two"])
      })
    )

    test(
      "are heard by those whose topic they begin with, byte by byte",
      Effect.gen(function*() {
        const transport = yield* Transport
        const publisher = yield* transport.publish(anywhere, { welcome: () => ["日本 welcome"] })
        const all = yield* subscribe(publisher.address)
        const mine = yield* subscribe(publisher.address, "日本 ")
        const others = yield* subscribe(publisher.address, "日曜")
        yield* until("the welcomes", () => all.length > 0 && mine.length > 0)

        for (const message of ["日本 one", "日曜 two", "日", "", "end"]) publisher.send([message])
        yield* until("all of them", () => all.includes("end"))
        yield* until("the others' one", () => others.length > 0)

        assert.deepStrictEqual(all, ["日本 welcome", "日本 one", "日曜 two", "日", "", "end"])
        assert.deepStrictEqual([mine, others], [["日本 welcome", "日本 one"], ["日曜 two"]])
      })
    )

    test(
      "end with the scope of the subscriber, and of the publisher",
      Effect.gen(function*() {
        const transport = yield* Transport
        const scope = yield* Scope.make()
        const publisher = yield* transport.publish(anywhere, { welcome: () => ["hello"] })
        const left = yield* subscribe(publisher.address).pipe(Scope.provide(scope))
        const stays = yield* subscribe(publisher.address)
        yield* until("the welcomes", () => left.length > 0 && stays.length > 0)

        yield* Scope.close(scope, Exit.void)
        publisher.send(["goodbye"])
        yield* until("the other to hear", () => stays.length > 1)

        assert.deepStrictEqual([left, stays], [["hello"], ["hello", "goodbye"]])
      })
    )
  })
}
