import { afterEach, describe, expect, it } from "vitest"
import type { NngError, Request } from "../src/index.ts"
import { Pub, Rep, Req, Sub } from "../src/index.ts"
import { connectRaw, frame, greeting, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => "none", (error: NngError) => error.code)

const meet = async () => {
  const rep = scope.add(new Rep())
  const requests: Array<Request> = []
  rep.onRequest((request) => void requests.push(request))
  const listener = await rep.listen("tcp://127.0.0.1:0")
  const req = scope.add(new Req())
  req.dial(listener.address)
  return { rep, req, requests }
}

describe("Req.context", () => {
  it("asks and receives in two steps, beside others", async () => {
    const { req, rep } = await meet()
    rep.onRequest((request) => request.reply(["re", request.body]))
    const contexts = Array.from({ length: 20 }, () => req.context())

    for (let round = 0; round < 3; round++) {
      for (const [i, context] of contexts.entries()) context.send(`${round}:${i}`)
      const replies = await Promise.all(contexts.toReversed().map((context) => context.receive()))
      expect(replies.toReversed().map(text)).toEqual(contexts.map((_, i) => `re${round}:${i}`))
    }
  })

  it("keeps a reply that came before anybody asked for it, once", async () => {
    const { req, requests } = await meet()
    const context = req.context()
    context.send("x")
    await until("the request", () => requests.length === 1)
    requests[0]?.reply("kept")
    await until("the reply", () => req.outstanding === 0)

    expect(text(await context.receive())).toBe("kept")
    expect(await codeOf(context.receive())).toBe("ESTATE")
  })

  it("receives nothing without a request, nor twice at once", async () => {
    const { req } = await meet()
    const context = req.context()

    expect(await codeOf(context.receive())).toBe("ESTATE")
    context.send("x")
    const first = codeOf(context.receive())
    expect(await codeOf(context.receive())).toBe("ESTATE")
    context.close()
    expect(await first).toBe("ECANCELED")
  })

  it("cancels its request by sending another, and ignores the old reply", async () => {
    const { req, requests } = await meet()
    const context = req.context()
    context.send("old")
    const old = codeOf(context.receive())
    await until("the old request", () => requests.length === 1)

    context.send("new")
    expect(await old).toBe("ECANCELED")
    await until("the new request", () => requests.length === 2)
    requests[0]?.reply("to old")
    requests[1]?.reply("to new")

    expect(text(await context.receive())).toBe("to new")
    expect(req.stats().dropped.noMatch).toBe(1)
  })

  it("gives its request up with the wait for it", async () => {
    const { req, requests } = await meet()
    const context = req.context()
    const controller = new AbortController()
    context.send("a")
    await until("the request", () => requests.length === 1)

    expect(await codeOf(context.receive({ timeoutMillis: 5 }))).toBe("ETIMEDOUT")
    expect(req.outstanding).toBe(0)
    expect(await codeOf(context.receive())).toBe("ESTATE")
    context.send("b")
    const aborted = codeOf(context.receive({ signal: controller.signal }))
    controller.abort()
    expect(await aborted).toBe("ECANCELED")
    context.send("c")
    expect(await codeOf(context.receive({ signal: controller.signal }))).toBe("ECANCELED")
    expect(req.outstanding).toBe(0)
  })

  it("is told when its pipe is lost and it must not send again, and when the socket closes", async () => {
    const { req, requests } = await meet()
    const [once, waiting] = [req.context(), req.context()]
    once.send("once", { resendMillis: 0 })
    waiting.send("again")
    const [lost, closed] = [codeOf(once.receive()), codeOf(waiting.receive())]
    await until("the requests", () => requests.length === 2)

    requests[0]?.pipe.close()
    expect(await lost).toBe("ECONNRESET")
    await req.close()

    expect(await closed).toBe("ECLOSED")
    expect(() => once.send("x")).toThrow("closed")
    expect(await codeOf(once.receive())).toBe("ECLOSED")
  })

  it("queues its request until there is a peer", async () => {
    const req = scope.add(new Req())
    const context = req.context()
    context.send("early")
    const reply = context.receive()
    const rep = scope.add(new Rep())
    rep.onRequest((request) => request.reply("late"))
    rep.dial((await req.listen("inproc://context")).address)

    expect(text(await reply)).toBe("late")
  })
})

describe("Request.discard", () => {
  it("makes room for further requests without a reply", async () => {
    const rep = scope.add(new Rep({ maxOutstandingPerPipe: 2 }))
    const { address } = await rep.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(
      address,
      Buffer.concat([greeting(0x30), ...[1, 2, 3].map((n) => frame(0x80, 0, 0, n))])
    )
    const first = await rep.receive()
    await rep.receive()
    expect(await codeOf(rep.receive({ timeoutMillis: 20 }))).toBe("ETIMEDOUT")

    first.discard()
    first.discard()

    expect((await rep.receive()).replied).toBe(false)
    expect(first.replied).toBe(true)
    expect(() => first.reply("x")).toThrow("discarded")
    raw.socket.destroy()
  })
})

describe("Sub.subscription", () => {
  it("has topics and a buffer of its own, until it is closed", async () => {
    const pub = scope.add(new Pub())
    const sub = scope.add(new Sub())
    sub.subscribe("b")
    const [a, all] = [sub.subscription("a"), sub.subscription("")]
    sub.dial((await pub.listen("inproc://subscriptions")).address)
    await pipesOf(pub, 1)
    const closed = codeOf(a.receive().then(() => a.receive()))

    for (const message of ["a1", "b1", "c1"]) pub.send(message)
    await until("all", () => sub.stats().messagesIn === 3)

    expect(text(await sub.receive())).toBe("b1")
    expect([1, 2, 3, 4].map(() => all.tryReceive()).map((body) => body === undefined ? null : text(body)))
      .toEqual(["a1", "b1", "c1", null])
    expect(sub.tryReceive()).toBe(undefined)
    a.close()
    expect(await closed).toBe("ECLOSED")
    all.unsubscribe("")
    pub.send("d1")
    await until("the drop", () => sub.stats().dropped.noTopic === 1)
    await sub.close()
    expect(await codeOf(all.receive())).toBe("ECLOSED")
    expect(() => sub.subscription("x")).toThrow("closed")
  })

  it("drops the newest instead when told to", async () => {
    const sub = scope.add(new Sub({ receiveBufferMessages: 2, preferNew: false }))
    sub.subscribe("")
    const { address } = await sub.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(address, Buffer.concat([greeting(0x20), ...[1, 2, 3, 4].map((n) => frame(n))]))

    await until("two drops", () => sub.stats().dropped.receiveBufferFull === 2)

    expect([1, 2, 3].map(() => sub.tryReceive()?.[0])).toEqual([1, 2, undefined])
    raw.socket.destroy()
  })

  it("keeps the newest within a bound of bytes", async () => {
    const sub = scope.add(new Sub({ receiveBufferBytes: 6 }))
    sub.subscribe("")
    const { address } = await sub.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(
      address,
      Buffer.concat([greeting(0x20), frame(1, 1), frame(2, 2, 2), frame(3, 3, 3, 3), frame(4)])
    )

    await until("two drops", () => sub.stats().dropped.receiveBufferFull === 2)

    expect([1, 2, 3].map(() => sub.tryReceive()?.[0])).toEqual([3, 4, undefined])
    raw.socket.destroy()
  })
})
