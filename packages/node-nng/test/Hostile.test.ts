import { afterEach, describe, expect, it } from "vitest"
import { Rep, Req } from "../src/index.ts"
import { makeRandom } from "./random.ts"
import { connectRaw, frame, greeting, listenRaw, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

describe.each(["tcp", "ipc"])("a hostile peer over %s", (kind) => {
  /** An echo with a good client beside the hostile one, and what it refused. */
  const makeServer = async () => {
    const rep = scope.add(new Rep({ handshakeTimeoutMillis: 100, receiveMaxBytes: 1_000 }))
    rep.onRequest((request) => request.reply(request.body))
    const refused: Array<string> = []
    rep.onRefused((_, reason) => void refused.push(reason.code))
    const { address } = await rep.listen(kind === "tcp" ? "tcp://127.0.0.1:0" : `ipc://${scope.directory()}/s`)
    const good = scope.add(new Req())
    good.dial(address)
    await pipesOf(rep, 1)
    return { rep, good, refused, address }
  }

  const typed = (...bytes: ReadonlyArray<number>): Uint8Array =>
    kind === "tcp" ? frame(...bytes) : Buffer.concat([Uint8Array.of(1), frame(...bytes)])

  const join = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Buffer.concat(parts)

  const head = (...length: ReadonlyArray<number>): Uint8Array =>
    kind === "tcp" ? Uint8Array.from(length) : Uint8Array.of(1, ...length)

  it.each([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "EPROTO"],
    ["one wrong byte", Uint8Array.of(0, 0x53, 0x51), "EPROTO"],
    ["another version", Uint8Array.of(0, 0x53, 0x50, 1, 0, 0x30, 0, 0), "EPROTO"],
    ["reserved bits", Uint8Array.of(0, 0x53, 0x50, 0, 0, 0x30, 0, 1), "EPROTO"],
    ["its own protocol", greeting(0x31), "EPROTO"],
    ["another protocol", greeting(0x50), "EPROTO"],
    ["half a greeting", greeting(0x30).subarray(0, 4), "ETIMEDOUT"],
    ["nothing", new Uint8Array(0), "ETIMEDOUT"],
    ["a frame too large", join(greeting(0x30), head(0, 0, 0, 0, 0, 0, 3, 0xe9)), "EMSGSIZE"],
    ["a frame too large in its high bits", join(greeting(0x30), head(0, 0, 0, 1, 0, 0, 0, 4)), "EMSGSIZE"],
    ["the largest length", join(greeting(0x30), head(255, 255, 255, 255, 255, 255, 255, 255)), "EMSGSIZE"],
    ["a request without an id", join(greeting(0x30), typed(1, 2, 3)), "EPROTO"],
    ["a stack without its end", join(greeting(0x30), typed(0, 0, 0, 1, 0, 0, 0, 2)), "EPROTO"]
  ])("that sends %s is refused, alone", async (_, bytes, code) => {
    const { rep, good, refused, address } = await makeServer()

    const raw = await connectRaw(address, bytes)
    await until("its end", raw.closed)

    expect(refused).toEqual([code])
    expect(text(await good.request("x"))).toBe("x")
    expect(rep.pipes).toBe(1)
  })

  it.each([
    ["within its greeting", greeting(0x30).subarray(0, 5), "ECONNRESET"],
    ["within a length", join(greeting(0x30), head(0, 0, 0)), "EPROTO"],
    ["within a message", join(greeting(0x30), head(0, 0, 0, 0, 0, 0, 0, 9), Uint8Array.of(0x80, 0, 0, 1, 5)), "EPROTO"]
  ])("that closes %s is reported, and nothing is delivered", async (_, bytes, code) => {
    const { rep, refused, address } = await makeServer()
    let requests = 0
    rep.onRequest(() => requests++)

    const raw = await connectRaw(address, bytes)
    raw.socket.end()
    await until("its end", raw.closed)
    await until("the report", () => refused.length === 1)

    expect(refused).toEqual([code])
    expect([requests, rep.pipes]).toEqual([0, 1])
  })

  it("that keeps the order but not the pace is served", async () => {
    const { address } = await makeServer()
    const bytes = join(greeting(0x30), typed(0x80, 0, 0, 1, 0x61))

    const raw = await connectRaw(address)
    for (const byte of bytes) {
      await new Promise<void>((resolve) => void raw.socket.write(Uint8Array.of(byte), () => resolve()))
    }
    const length = 8 + bytes.length - 8
    await until("the reply", () => raw.received().length === length)

    expect(raw.received().subarray(8)).toEqual(Buffer.from(bytes.subarray(8)))
    raw.socket.destroy()
  })

  it("sends random bytes a hundred times, and the others are served all the while", async () => {
    const { rep, good, address } = await makeServer()
    const random = makeRandom(7)

    for (let i = 0; i < 100; i++) {
      const noise = Uint8Array.from({ length: 1 + random(60) }, () => random(256))
      const raw = await connectRaw(address, i % 2 === 0 ? noise : join(greeting(0x30), noise))
      raw.socket.end()
      if (i % 10 === 0) expect(text(await good.request(`${i}`))).toBe(`${i}`)
    }

    await pipesOf(rep, 1)
  })

  it("does not hold up accepting by greeting slowly", async () => {
    const { address, rep } = await makeServer()
    const silent = await Promise.all(Array.from({ length: 50 }, () => connectRaw(address)))

    const req = scope.add(new Req())
    req.dial(address)
    expect(text(await req.request("x"))).toBe("x")

    await until("the silent ones to be refused", () => silent.every((raw) => raw.closed()))
    expect(rep.pipes).toBe(2)
  })
})

describe("Req", () => {
  it.each([
    ["too short", [1, 2, 3]],
    ["without the top bit", [0, 0, 0, 1, 5]]
  ])("disconnects a peer whose reply is %s, and asks again", async (_, bytes) => {
    const server = await listenRaw((raw) => {
      raw.socket.write(greeting(0x31))
      raw.socket.once("data", () => raw.socket.once("data", () => raw.socket.write(frame(...bytes))))
    })
    scope.addServer(server)
    const req = scope.add(new Req({ reconnectMinMillis: 5 }))
    const refused: Array<string> = []
    req.onRefused((_address, reason) => void refused.push(reason.code))
    req.dial(server.address)
    await pipesOf(req, 1)

    req.request("x").catch(() => {})
    await until("another connection", () => (server.peers[1]?.received().length ?? 0) > 8)

    expect(refused[0]).toBe("EPROTO")
  })

  it("drops replies to nothing", async () => {
    const server = await listenRaw((raw) => {
      raw.socket.write(Buffer.concat([greeting(0x31), frame(0x80, 0, 0, 1, 5), frame(0xff, 0xff, 0xff, 0xff)]))
      raw.socket.on("data", (chunk) => {
        const request = chunk.subarray(-13)
        // Twice: the second finds its request answered.
        if (chunk.length >= 13) raw.socket.write(Buffer.concat([request, request]))
      })
    })
    scope.addServer(server)
    const req = scope.add(new Req())
    req.dial(server.address)

    expect(text(await req.request("x"))).toBe("x")
    expect(text(await req.request("y"))).toBe("y")
    expect(req.pipes).toBe(1)
  })
})
