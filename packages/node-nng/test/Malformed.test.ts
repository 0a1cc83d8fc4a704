import { afterEach, describe, expect, it } from "vitest"
import type { Socket } from "../src/index.ts"
import { Bus, Pair0, Pair1, Pub, Pull, Push, RawSocket, Rep, Req, Respondent, Sub, Surveyor } from "../src/index.ts"
import { connectRaw, frame, greeting, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

/** Connects to a socket that listens, and sends `bytes` after the greeting of its peer. */
const hostile = async (socket: Socket, peer: number, ...frames: ReadonlyArray<Uint8Array>) => {
  const refused: Array<string> = []
  socket.onRefused((_, reason) => void refused.push(reason.code))
  const { address } = await scope.add(socket).listen("tcp://127.0.0.1:0")
  const raw = await connectRaw(address, Buffer.concat([greeting(peer), ...frames]))
  scope.addServer({ close: () => raw.socket.destroy() })
  return { raw, refused, address }
}

const id = [0x80, 0, 0, 1]

describe("a peer is disconnected, and reported, that sends", () => {
  it.each(
    [
      ["REP a request of under 4 bytes", () => new Rep(), 0x30, [1, 2, 3]],
      ["REP nothing at all", () => new Rep(), 0x30, []],
      ["REP a stack without its last word", () => new Rep(), 0x30, [0, 0, 0, 1, 0, 0, 0, 2]],
      ["RESPONDENT a survey of under 4 bytes", () => new Respondent(), 0x62, [1, 2, 3]],
      ["RESPONDENT a stack without its last word", () => new Respondent(), 0x62, [0, 0, 0, 1]],
      ["REQ a reply of under 4 bytes", () => new Req(), 0x31, [0x80, 0, 0]],
      ["REQ a reply whose id lacks its top bit", () => new Req(), 0x31, [0, 0, 0, 1]],
      ["SURVEYOR a response of under 4 bytes", () => new Surveyor(), 0x63, [1]],
      ["SURVEYOR a response whose id lacks its top bit", () => new Surveyor(), 0x63, [0x7f, 0, 0, 1]],
      ["PAIR1 under 4 bytes", () => new Pair1(), 0x11, [0, 0, 1]],
      ["PAIR1 more than 255 hops", () => new Pair1(), 0x11, [0, 0, 1, 0]],
      ["PAIR1 a hop count with its top bit", () => new Pair1(), 0x11, [0x80, 0, 0, 1]],
      ["PUB data", () => new Pub(), 0x21, [1]],
      ["a raw REP a stack without its last word", () => new RawSocket("rep"), 0x30, [0, 0, 0, 1]],
      ["a raw REQ under 4 bytes", () => new RawSocket("req"), 0x31, [1, 2]],
      ["a raw PAIR1 more than 255 hops", () => new RawSocket("pair1"), 0x11, [0, 0, 1, 0]],
      ["a raw PUB data", () => new RawSocket("pub"), 0x21, [1]]
    ] as const
  )("%s", async (_, make, peer, bytes) => {
    const { raw, refused, address } = await hostile(make(), peer, frame(...bytes))

    await until("its end", raw.closed)

    expect(refused).toEqual(["EPROTO"])
    const next = await connectRaw(address, greeting(peer))
    await until("the next one's greeting", () => next.received().length === 8)
    next.socket.destroy()
  })
})

describe("a message is dropped and counted, and the connection kept, that is", () => {
  it.each(
    [
      ["a reply to an unknown request", () => new Req(), 0x31, id, "noMatch"],
      ["a response to an unknown survey", () => new Surveyor(), 0x63, id, "noMatch"],
      ["a request with more words than the limit", () => new Rep({ maxTtl: 1 }), 0x30, [0, 0, 0, 1, ...id], "hopLimit"],
      ["a survey with more words than the limit", () => new Respondent({ maxTtl: 1 }), 0x62, [0, 0, 0, 1], "hopLimit"],
      ["a PAIR1 message with more hops", () => new Pair1(), 0x11, [0, 0, 0, 9], "hopLimit"],
      ["data for a PUSH", () => new Push(), 0x51, [1], "unexpected"],
      ["data for a raw PUSH", () => new RawSocket("push"), 0x51, [1], "unexpected"],
      ["of no topic", () => new Sub(), 0x20, [1], "noTopic"]
    ] as const
  )("%s", async (_, make, peer, bytes, cause) => {
    const socket = make()
    await hostile(socket, peer, frame(...bytes), frame(...bytes))

    await until("both drops", () => socket.stats().dropped[cause] === 2)

    expect(socket.pipes).toBe(1)
    expect(socket.stats()).toMatchObject({ messagesIn: 2, bytesIn: 2 * bytes.length, refused: {} })
  })
})

describe("a request that a bad reply disconnects", () => {
  it("is sent again to the next peer", async () => {
    const req = scope.add(new Req())
    const { address } = await req.listen("tcp://127.0.0.1:0")
    const reply = req.request("x")
    const bad = await connectRaw(address, greeting(0x31))
    await until("the request", () => bad.received().length > 8)
    bad.socket.write(frame(1))
    await until("its end", bad.closed)
    const rep = scope.add(new Rep())
    rep.onRequest((request) => request.reply("good"))
    rep.dial(address)

    expect(Buffer.from(await reply).toString()).toBe("good")
  })
})

describe("every protocol", () => {
  const sockets: ReadonlyArray<readonly [string, () => Socket, number, number]> = [
    ["PAIR0", () => new Pair0(), 0x10, 0x10],
    ["PAIR1", () => new Pair1(), 0x11, 0x11],
    ["PUB", () => new Pub(), 0x20, 0x21],
    ["SUB", () => new Sub(), 0x21, 0x20],
    ["REQ", () => new Req(), 0x30, 0x31],
    ["REP", () => new Rep(), 0x31, 0x30],
    ["PUSH", () => new Push(), 0x50, 0x51],
    ["PULL", () => new Pull(), 0x51, 0x50],
    ["SURVEYOR", () => new Surveyor(), 0x62, 0x63],
    ["RESPONDENT", () => new Respondent(), 0x63, 0x62],
    ["BUS", () => new Bus(), 0x70, 0x70]
  ]

  it.each(sockets)("%s greets with its id, takes its peer and refuses all others", async (_, make, self, peer) => {
    const socket = make()
    const { raw, refused, address } = await hostile(socket, peer)
    await pipesOf(socket, 1)
    await until("our greeting", () => raw.received().length === 8)
    expect(raw.received()).toEqual(Buffer.from(greeting(self)))
    const others = sockets.map(([, , id]) => id).filter((id) => id !== peer)

    const strangers = await Promise.all(others.map((id) => connectRaw(address, greeting(id))))
    await until("their end", () => strangers.every((stranger) => stranger.closed()))

    expect(refused).toEqual(others.map(() => "EPROTO"))
    expect([socket.pipes, socket.stats().refused]).toEqual([1, { EPROTO: others.length }])
  })
})
