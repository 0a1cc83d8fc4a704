import { afterEach, describe, expect, it } from "vitest"
import type { NngError, ProtocolName } from "../src/index.ts"
import { Bus, device, Pair1, Pub, Pull, Push, RawSocket, Rep, Req, Respondent, Sub, Surveyor } from "../src/index.ts"
import { connectRaw, frame, greeting, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => "none", (error: NngError) => error.code)

let names = 0

/** A device and the addresses of its two sides. */
const makeDevice = async (front: ProtocolName, back: ProtocolName, options: { readonly maxTtl?: number } = {}) => {
  const [a, b] = [scope.add(new RawSocket(front, options)), scope.add(new RawSocket(back, options))]
  const [one, two] = await Promise.all([a, b].map((socket) => socket.listen(`inproc://device-${names++}`)))
  if (one === undefined || two === undefined) throw new Error("not listening")
  const done = device(a, b)
  done.catch(() => {})
  return { a, b, front: one.address, back: two.address, done }
}

describe("device", () => {
  it("forwards requests and replies, many at once, from any number of clients to any number of servers", async () => {
    const { front, back } = await makeDevice("rep", "req")
    for (const name of ["x", "y"]) {
      const rep = scope.add(new Rep())
      rep.onRequest((request) => request.reply([name, request.body]))
      rep.dial(back)
    }
    const reqs = [scope.add(new Req()), scope.add(new Req())]
    for (const req of reqs) req.dial(front)

    const replies = await Promise.all(
      Array.from({ length: 500 }, (_, i) => reqs[i % 2]?.request(`${i}`) ?? Promise.reject(new Error("no socket")))
    )

    expect(replies.map((reply) => text(reply).slice(1))).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`))
    expect(new Set(replies.map((reply) => text(reply)[0]))).toEqual(new Set(["x", "y"]))
  })

  it.each([[6, "answered"], [7, "dropped"]])("behind %i others a request is %s", async (count, outcome) => {
    // Words: the id, one for each device, and 8 may pass.
    const chain = []
    for (let i = 0; i <= count; i++) chain.push(await makeDevice("rep", "req"))
    for (const [i, link] of chain.entries()) {
      const next = chain[i + 1]
      if (next !== undefined) link.b.dial(next.front)
    }
    const rep = scope.add(new Rep())
    rep.onRequest((request) => request.reply("here"))
    rep.dial(chain.at(-1)?.back ?? "")
    const req = scope.add(new Req())
    req.dial(chain[0]?.front ?? "")

    const reply = req.request("far", { timeoutMillis: outcome === "answered" ? 10_000 : 300 })

    if (outcome === "answered") expect(text(await reply)).toBe("here")
    else {
      expect(await codeOf(reply)).toBe("ETIMEDOUT")
      expect(rep.stats().dropped.hopLimit).toBe(1)
      expect(rep.pipes).toBe(1)
    }
  })

  it("forwards surveys and all their responses", async () => {
    const { b, front, back } = await makeDevice("respondent", "surveyor")
    for (const name of ["x", "y", "z"]) {
      const respondent = scope.add(new Respondent())
      respondent.onSurvey((survey) => survey.reply([name, survey.body]))
      respondent.dial(back)
    }
    const surveyor = scope.add(new Surveyor())
    surveyor.dial(front)
    await Promise.all([pipesOf(b, 3), pipesOf(surveyor, 1)])

    const survey = surveyor.survey("?", { surveyMillis: 5_000 })
    const got = [await survey.receive(), await survey.receive(), await survey.receive()]

    expect(got.map(text).toSorted()).toEqual(["x?", "y?", "z?"])
  })

  it("forwards one way what goes one way, without loss", async () => {
    const { front, back } = await makeDevice("pull", "push")
    const [push, pull] = [scope.add(new Push()), scope.add(new Pull({ receiveBufferMessages: 3 }))]
    push.dial(front)
    pull.dial(back)
    const sending = (async () => {
      for (let i = 0; i < 5_000; i++) await push.send(`${i}`)
    })()

    const got: Array<number> = []
    for await (const body of pull) {
      if (got.push(Number(text(body))) === 5_000) break
    }

    await sending
    expect(got).toEqual(Array.from({ length: 5_000 }, (_, i) => i))
  })

  it("forwards what is published, without a topic of its own", async () => {
    const { a, b, front, back } = await makeDevice("sub", "pub")
    const [pub, sub] = [scope.add(new Pub()), scope.add(new Sub())]
    sub.subscribe("b")
    pub.dial(front)
    sub.dial(back)
    await Promise.all([pipesOf(a, 1), pipesOf(b, 1), pipesOf(pub, 1), pipesOf(sub, 1)])

    for (const message of ["a1", "b1", "c1", "b2"]) pub.send(message)

    expect([text(await sub.receive()), text(await sub.receive())]).toEqual(["b1", "b2"])
  })

  it("forwards between two buses, and not back to the sender", async () => {
    const { a, b, front, back } = await makeDevice("bus", "bus")
    const [one, two, other] = [scope.add(new Bus()), scope.add(new Bus()), scope.add(new Bus())]
    one.dial(front)
    two.dial(front)
    other.dial(back)
    await Promise.all([pipesOf(a, 2), pipesOf(b, 1)])

    one.send("over")

    expect(text(await other.receive())).toBe("over")
    other.send("and back")
    expect([text(await one.receive()), text(await two.receive())]).toEqual(["and back", "and back"])
    expect([one.tryReceive(), two.tryReceive(), other.tryReceive()]).toEqual([undefined, undefined, undefined])
  })

  it("reflects a bus to all but the sender, and a pair to its peer", async () => {
    const hub = scope.add(new RawSocket("bus"))
    const echo = scope.add(new RawSocket("pair1"))
    const [atHub, atEcho] = [await hub.listen("inproc://hub"), await echo.listen("inproc://echo")]
    const buses = [1, 2, 3].map(() => scope.add(new Bus()))
    for (const bus of buses) bus.dial(atHub.address)
    const pair = scope.add(new Pair1())
    pair.dial(atEcho.address)
    await pipesOf(hub, 3)
    for (const socket of [hub, echo]) device(socket).catch(() => {})

    buses[0]?.send("all")
    await pair.send("echo")

    expect(await Promise.all(buses.slice(1).map(async (bus) => text(await bus.receive())))).toEqual(["all", "all"])
    expect(buses[0]?.tryReceive()).toBe(undefined)
    expect(text(await pair.receive())).toBe("echo")
  })

  it("refuses sockets that are no peers of each other", async () => {
    const [rep, pub, pull] = [new RawSocket("rep"), new RawSocket("pub"), new RawSocket("pull")].map(scope.add)
    if (rep === undefined || pub === undefined || pull === undefined) throw new Error("no socket")

    expect(await codeOf(device(rep, pub))).toBe("EINVAL")
    expect(await codeOf(device(rep, rep))).toBe("EINVAL")
    expect(await codeOf(device(pull))).toBe("EINVAL")
  })

  it("ends when one of its sockets closes, or by its signal, and leaves the sockets open", async () => {
    const { b, done } = await makeDevice("rep", "req")
    const controller = new AbortController()
    const [push, pull] = [scope.add(new RawSocket("push")), scope.add(new RawSocket("pull"))]
    const aborted = codeOf(device(pull, push, { signal: controller.signal }))

    await b.close()
    controller.abort()

    await done
    expect(await aborted).toBe("ECANCELED")
    expect([push.closed, pull.closed]).toEqual([false, false])
    expect(await codeOf(device(pull, push, { signal: controller.signal }))).toBe("ECANCELED")
  })
})

describe("RawSocket", () => {
  it("shows and takes the headers of requests", async () => {
    const rep = scope.add(new RawSocket("rep"))
    const { address } = await rep.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(address, Buffer.concat([greeting(0x30), frame(0, 0, 0, 7, 0x80, 0, 0, 1, 0x61)]))

    const { body, header, pipe } = await rep.receive()

    expect([Buffer.from(header).readUInt32BE(0), Buffer.from(header).toString("hex", 4), text(body)])
      .toEqual([pipe.id, "0000000780000001", "a"])
    await rep.send({ header, body: "b" })
    await until("the reply", () => raw.received().length === 8 + 8 + 9)
    expect(raw.received().subarray(8)).toEqual(Buffer.from(frame(0, 0, 0, 7, 0x80, 0, 0, 1, 0x62)))
    raw.socket.destroy()
    await pipesOf(rep, 0)
    expect(rep.trySend({ header, body: "nobody" })).toBe(true)
    expect(rep.stats().dropped.noPeer).toBe(1)
  })

  it("refuses headers that do not fit its protocol, and directions it does not have", async () => {
    const none = { header: new Uint8Array(0), body: "x" }
    for (const name of ["req", "rep", "surveyor", "respondent", "pair1"] as const) {
      expect(await codeOf(scope.add(new RawSocket(name)).send(none)), name).toBe("EPROTO")
    }
    const far = { header: Uint8Array.of(0, 0, 0, 255), body: "x" }
    expect(await codeOf(scope.add(new RawSocket("pair1")).send(far))).toBe("EPROTO")
    expect(await codeOf(scope.add(new RawSocket("pull")).send(none))).toBe("ENOTSUP")
    expect(await codeOf(scope.add(new RawSocket("push")).receive())).toBe("ENOTSUP")
    const bus = scope.add(new RawSocket("bus"))
    await bus.close()
    expect(await codeOf(bus.send(none))).toBe("ECLOSED")
  })

  it("keeps no message of more hops than its limit", async () => {
    const rep = scope.add(new RawSocket("rep", { maxTtl: 2 }))
    const { address } = await rep.listen("tcp://127.0.0.1:0")
    const hop = [0, 0, 0, 1]
    const raw = await connectRaw(
      address,
      Buffer.concat([greeting(0x30), frame(...hop, ...hop, 0x80, 0, 0, 1, 1), frame(...hop, 0x80, 0, 0, 1, 2)])
    )

    expect((await rep.receive()).body[0]).toBe(2)
    expect(rep.stats().dropped.hopLimit).toBe(1)
    raw.socket.destroy()
  })

  it("accepts one peer at a time when it is a pair", async () => {
    const pair = scope.add(new RawSocket("pair0"))
    const { address } = await pair.listen("tcp://127.0.0.1:0")
    const [first, second] = [await connectRaw(address, greeting(0x10)), await connectRaw(address, greeting(0x10))]

    await until("the second's end", () => first.closed() || second.closed())

    expect(pair.stats().refused).toEqual({ EBUSY: 1 })
    for (const raw of [first, second]) raw.socket.destroy()
  })
})
