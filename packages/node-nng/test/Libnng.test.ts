import { afterAll, afterEach, describe, expect, it } from "vitest"
import type { Socket } from "../src/index.ts"
import {
  Bus,
  device,
  Pair0,
  Pair1,
  Pub,
  Pull,
  Push,
  RawSocket,
  Rep,
  Req,
  Respondent,
  Sub,
  Surveyor
} from "../src/index.ts"
import { libnngMissing, removePeerProgram, startPeer } from "./libnng.ts"
import { freePort, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)
afterAll(removePeerProgram)

if (libnngMissing !== null) console.warn(`Libnng.test.ts skipped: ${libnngMissing}`)

const start = (...protocols: ReadonlyArray<string>) => {
  const peer = startPeer(...protocols)
  scope.addProcess(peer.child)
  return peer
}

/** Messages of every size that matters: none, small, many, and beyond any buffer. */
const bodies: ReadonlyArray<string> = [
  "",
  "a",
  "häß€",
  ...Array.from({ length: 50 }, (_, i) => `message ${i}`),
  "x".repeat(70_000),
  "y".repeat(300_000)
]

describe.skipIf(libnngMissing !== null).each(
  [
    ["tcp", "ours"],
    ["tcp", "theirs"],
    ["ipc", "ours"],
    ["ipc", "theirs"]
  ] as const
)("libnng over %s, %s listening", (kind, listening) => {
  const addressFor = () => kind === "tcp" ? "tcp://127.0.0.1:0" : `ipc://${scope.directory()}/s`

  /** Connects a socket of ours with a peer of that protocol. */
  const meet = async <A extends Socket>(make: () => A, protocol: string) => {
    const socket = scope.add(make())
    const peer = start(protocol)
    if (protocol === "sub") await peer.run("subscribe 0 -")
    if (listening === "ours") await peer.run(`dial 0 ${(await socket.listen(addressFor())).address}`)
    else socket.dial(await peer.run(`listen 0 ${addressFor()}`))
    await pipesOf(socket, 1)
    // Its side is there a little later than ours: what it surveys or publishes before that is for nobody.
    await until("the peer's pipe", async () => await peer.run("pipes 0") === "1")
    return { socket, peer }
  }

  it("PUSH to its pull", async () => {
    const { socket, peer } = await meet(() => new Push(), "pull")

    const sent = bodies.map((body) => socket.send(body))
    const got: Array<string> = []
    for (const _ of bodies) got.push(await peer.receive())

    await Promise.all(sent)
    expect(got).toEqual(bodies)
  })

  it("PULL from its push", async () => {
    const { socket, peer } = await meet(() => new Pull(), "push")

    const got: Array<string> = []
    const sent = bodies.map((body) => peer.send(body))
    for await (const body of socket) {
      if (got.push(text(body)) === bodies.length) break
    }

    await Promise.all(sent)
    expect(got).toEqual(bodies)
  })

  it("PUB to its sub", async () => {
    const { socket, peer } = await meet(() => new Pub(), "sub")

    const got: Array<string> = []
    for (const body of bodies) {
      socket.send(body)
      got.push(await peer.receive())
    }

    expect(got).toEqual(bodies)
  })

  it("SUB from its pub, by topic", async () => {
    const { socket, peer } = await meet(() => new Sub(), "pub")
    socket.subscribe("message 1")

    // Fewer than the 16 that its pub keeps for a subscriber before it drops the oldest.
    for (const number of [1, 2, 10, 3, 11, 4, 12, 5, 13]) await peer.send(`message ${number}`)
    const got: Array<string> = []
    for await (const body of socket) {
      if (got.push(text(body)) === 5) break
    }

    expect(got).toEqual(["message 1", "message 10", "message 11", "message 12", "message 13"])
  })

  it("REQ to its rep, and REP to its req", async () => {
    const asking = await meet(() => new Req(), "rep")
    const answering = await meet(() => new Rep(), "req")

    for (const body of bodies) {
      const reply = asking.socket.request(body)
      expect(await asking.peer.receive()).toBe(body)
      await asking.peer.send(`re ${body}`)
      expect(text(await reply)).toBe(`re ${body}`)

      await answering.peer.send(body)
      const request = await answering.socket.receive()
      expect(text(request.body)).toBe(body)
      request.reply(["re ", request.body])
      expect(await answering.peer.receive()).toBe(`re ${body}`)
    }
  })

  it("SURVEYOR to its respondent, and its surveyor's deadline", async () => {
    const { socket, peer } = await meet(() => new Surveyor(), "respondent")

    for (const body of bodies) {
      const survey = socket.survey(body, { surveyMillis: 10_000 })
      expect(await peer.receive()).toBe(body)
      await peer.send(`re ${body}`)
      expect(text(await survey.receive())).toBe(`re ${body}`)
      survey.cancel()
    }
    const late = socket.survey("late", { surveyMillis: 20 })
    expect(await peer.receive()).toBe("late")
    for await (const _ of late) throw new Error("nothing was sent")
    await peer.send("too late")
    await until("the late response", () => socket.stats().dropped.noMatch === 1)
  })

  it("RESPONDENT to its surveyor", async () => {
    const { socket, peer } = await meet(() => new Respondent(), "surveyor")
    await peer.run("ms 0 surveyor:survey-time 10000")

    for (const body of bodies) {
      await peer.send(body)
      const survey = await socket.receive()
      expect(text(survey.body)).toBe(body)
      survey.reply(["re ", survey.body])
      expect(await peer.receive()).toBe(`re ${body}`)
    }
  })

  it.each([
    ["BUS", () => new Bus(), "bus"],
    ["PAIR0", () => new Pair0(), "pair0"],
    ["PAIR1", () => new Pair1(), "pair1"]
  ])("%s both ways", async (_, make, protocol) => {
    const { socket, peer } = await meet<Bus | Pair0 | Pair1>(make, protocol)

    for (const body of bodies) {
      void socket.send(body)
      expect(await peer.receive()).toBe(body)
      await peer.send(body)
      expect(text(await socket.receive())).toBe(body)
    }
  })

  it.each([
    ["PAIR0", () => new Pair0(), "pair1", 0x11],
    ["PAIR1", () => new Pair1(), "pair0", 0x10],
    ["PUSH", () => new Push(), "push", 0x50]
  ])("%s refuses its %s", async (_, make, protocol, id) => {
    const socket = scope.add<Socket>(make())
    const refused: Array<string> = []
    socket.onRefused((_address, reason) => void refused.push(reason.message))
    const peer = start(protocol)
    if (listening === "ours") await peer.run(`dial 0 ${(await socket.listen(addressFor())).address}`)
    else socket.dial(await peer.run(`listen 0 ${addressFor()}`))

    await until("the refusal", () => refused.length > 0)

    // Whoever closes first: they tell the connection's end, or what was wrong.
    expect(refused[0]).toContain(`protocol id 0x${id.toString(16)}`)
    expect(socket.pipes).toBe(0)
  })

  it("a device of ours between its req and rep, and one of its own between ours", async () => {
    const [front, back] = [scope.add(new RawSocket("rep")), scope.add(new RawSocket("req"))]
    const [req, rep] = [start("req"), start("rep")]
    await req.run(`dial 0 ${(await front.listen(addressFor())).address}`)
    if (listening === "ours") await rep.run(`dial 0 ${(await back.listen(addressFor())).address}`)
    else back.dial(await rep.run(`listen 0 ${addressFor()}`))
    const running = device(front, back)

    await req.send("through ours")
    expect(await rep.receive()).toBe("through ours")
    await rep.send("and back")
    expect(await req.receive()).toBe("and back")
    await front.close()
    await running

    const theirs = start("rep", "req")
    const [ask, answer] = [scope.add(new Req()), scope.add(new Rep())]
    answer.onRequest((request) => request.reply(["re ", request.body]))
    ask.dial(await theirs.run(`listen 0 ${addressFor()}`))
    answer.dial(await theirs.run(`listen 1 ${addressFor()}`))
    await theirs.run("device")
    expect(text(await ask.request("through theirs"))).toBe("re through theirs")
  })

  it("a device of its own between our pairs, which count its hop", async () => {
    const theirs = start("pair1", "pair1")
    const [left, right, strict] = [new Pair1(), new Pair1(), new Pair1({ maxTtl: 1 })].map(scope.add)
    left?.dial(await theirs.run(`listen 0 ${addressFor()}`))
    const behind = await theirs.run(`listen 1 ${addressFor()}`)
    const dialer = right?.dial(behind)
    await theirs.run("device")

    await left?.send("through")
    expect(text(await right?.receive() ?? new Uint8Array(0))).toBe("through")
    await dialer?.close()
    strict?.dial(behind)
    await until("the other peer", () => strict?.pipes === 1)
    await left?.send("one hop too many")
    await until("the drop", () => strict?.stats().dropped.hopLimit === 1)
  })

  it("finds our socket again after it was gone, and PUSH waits meanwhile", async () => {
    if (listening === "theirs") return
    const address = kind === "tcp" ? `tcp://127.0.0.1:${await freePort()}` : addressFor()
    const peer = start("pull")
    await peer.run("ms 0 reconnect-time-min 10")
    await peer.run(`dial 0 ${address}`)
    const first = scope.add(new Push())
    await first.listen(address)
    await first.send("one")
    expect(await peer.receive()).toBe("one")
    await first.close()

    const second = scope.add(new Push())
    const sending = second.send("two")
    await second.listen(address)

    await sending
    expect(await peer.receive()).toBe("two")
  })
})
