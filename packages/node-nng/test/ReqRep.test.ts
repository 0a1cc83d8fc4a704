import { afterEach, describe, expect, it } from "vitest"
import type { NngError, Request } from "../src/index.ts"
import { Rep, Req } from "../src/index.ts"
import { connectRaw, frame, freePort, greeting, listenRaw, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => "none", (error: NngError) => error.code)

/** A REP that keeps its requests and a REQ dialed to it. */
const makePair = async (address: string) => {
  const rep = scope.add(new Rep())
  const requests: Array<Request> = []
  rep.onRequest((request) => void requests.push(request))
  const listener = await rep.listen(address)
  const req = scope.add(new Req())
  const dialer = req.dial(listener.address)
  return { rep, req, requests, listener, dialer }
}

describe.each(["tcp://127.0.0.1:0", "tcp://[::1]:0", "ipc", "inproc://pair"])("Req and Rep over %s", (kind) => {
  const address = () => kind === "ipc" ? `ipc://${scope.directory()}/s` : kind

  it("answers text, bytes and parts", async () => {
    const { rep, req } = await makePair(address())
    rep.onRequest((request) => request.reply(["<", request.body, ">", Uint8Array.of(0x21)]))

    const replies = await Promise.all([
      req.request("häß€"),
      req.request(new TextEncoder().encode("bytes")),
      req.request(["a", new Uint8Array(0), Uint8Array.of(0x62), "c"]),
      req.request("")
    ])

    expect(replies.map(text)).toEqual(["<häß€>!", "<bytes>!", "<abc>!", "<>!"])
  })

  it("keeps 256 outstanding and takes replies in any order", async () => {
    const { req, requests } = await makePair(address())
    const replies = Array.from({ length: 256 }, (_, i) => req.request(`${i}`))
    await until("256 requests", () => requests.length === 256)

    for (const request of requests.toReversed()) request.reply(["re", request.body])

    expect((await Promise.all(replies)).map(text)).toEqual(Array.from({ length: 256 }, (_, i) => `re${i}`))
    expect(req.outstanding).toBe(0)
  })

  it("carries messages larger than any buffer", async () => {
    const { rep, req } = await makePair(address())
    rep.onRequest((request) => request.reply(request.body))
    const large = new Uint8Array(900_000).map((_, i) => i * 7)

    const replies = await Promise.all([req.request(large), req.request("x".repeat(500_000)), req.request([large])])

    expect(Buffer.compare(replies[0], large)).toBe(0)
    expect(text(replies[1])).toBe("x".repeat(500_000))
    expect(Buffer.compare(replies[2], large)).toBe(0)
  })

  it("sends what was accepted before close", async () => {
    const { rep, req, requests } = await makePair(address())
    const reply = req.request("last")
    await until("the request", () => requests.length === 1)

    requests[0]?.reply(new Uint8Array(300_000))
    await rep.close()

    expect((await reply).length).toBe(300_000)
  })

  it("sends a request again when its pipe closes", async () => {
    const { req, requests } = await makePair(address())
    const reply = req.request("again")
    await until("the request", () => requests.length === 1)

    requests[0]?.pipe.close()
    await until("it once more", () => requests.length === 2)

    expect(requests[0]?.reply("lost")).toBe(false)
    expect(requests[1]?.reply("found")).toBe(true)
    expect(text(await reply)).toBe("found")
  })

  it("is done with its connections when close resolves", async () => {
    const { rep, req } = await makePair(address())
    await Promise.all([pipesOf(req, 1), pipesOf(rep, 1)])

    await req.close()
    await pipesOf(rep, 0)

    expect(req.pipes).toBe(0)
  })
})

describe("Req", () => {
  it("takes turns over the ready pipes", async () => {
    const servers = await Promise.all([0, 1, 2].map(async (id) => {
      const rep = scope.add(new Rep())
      rep.onRequest((request) => request.reply(`${id}`))
      return rep.listen("tcp://127.0.0.1:0")
    }))
    const req = scope.add(new Req())
    for (const server of servers) req.dial(server.address)
    await pipesOf(req, 3)

    const replies = await Promise.all(Array.from({ length: 30 }, () => req.request("who")))

    for (const id of ["0", "1", "2"]) expect(replies.filter((reply) => text(reply) === id).length).toBe(10)
  })

  it("listens, and serves several peers that dial", async () => {
    const req = scope.add(new Req())
    const listener = await req.listen("tcp://127.0.0.1:0")
    for (const id of ["a", "b"]) {
      const rep = scope.add(new Rep())
      rep.onRequest((request) => request.reply(id))
      rep.dial(listener.address)
    }
    await pipesOf(req, 2)

    const replies = await Promise.all([req.request(""), req.request("")])

    expect(replies.map(text).toSorted()).toEqual(["a", "b"])
  })

  it("passes over a pipe that is full, and uses it again when it has drained", async () => {
    const stuck = await listenRaw((raw) => {
      raw.socket.write(greeting(0x31))
      raw.socket.pause()
    })
    scope.addServer(stuck)
    const rep = scope.add(new Rep())
    rep.onRequest((request) => request.reply("ok"))
    const listener = await rep.listen("tcp://127.0.0.1:0")
    const req = scope.add(new Req({ sendHighWaterBytes: 100_000, lingerMillis: 0 }))
    req.dial(stuck.address)
    await pipesOf(req, 1)
    // The system's buffers take a few megabytes before the pipe is full.
    const large = new Uint8Array(500_000)
    let pending = 0
    while (req.queued === 0) {
      if (++pending > 200) throw new Error("the pipe never fills")
      req.request(large).catch(() => {})
      await new Promise((resolve) => setImmediate(resolve))
    }
    req.dial(listener.address)

    const replies = await Promise.all(Array.from({ length: 10 }, () => req.request("small")))

    expect(replies.map(text)).toEqual(Array(10).fill("ok"))
    await until("the queue to go elsewhere", () => req.queued === 0)
    const before = stuck.peers[0]?.received().length ?? 0
    stuck.peers[0]?.socket.resume()
    await until("the pipe to drain", () => (stuck.peers[0]?.received().length ?? 0) > before)
    await rep.close()
    void req.request("to the other").catch(() => {})
    await until("the drained pipe to be used", () => stuck.peers[0]?.received().includes("to the other") === true)
  })

  it("waits for a pipe when there is none", async () => {
    const port = await freePort()
    const req = scope.add(new Req({ reconnectMinMillis: 10 }))
    req.dial(`tcp://127.0.0.1:${port}`)
    const reply = req.request("early")
    expect(req.queued).toBe(1)

    const rep = scope.add(new Rep())
    rep.onRequest((request) => request.reply("late"))
    await rep.listen(`tcp://127.0.0.1:${port}`)

    expect(text(await reply)).toBe("late")
  })

  it("bounds what waits by count and by bytes", async () => {
    const byCount = scope.add(new Req({ sendBufferMessages: 2 }))
    const byBytes = scope.add(new Req({ sendBufferBytes: 10 }))

    const waiting = [byCount.request("a"), byCount.request("b"), byBytes.request("12345678")].map(codeOf)

    expect(await codeOf(byCount.request("c"))).toBe("EAGAIN")
    expect(await codeOf(byBytes.request(["12", "3"]))).toBe("EAGAIN")
    await Promise.all([byCount.close(), byBytes.close()])
    expect(await Promise.all(waiting)).toEqual(["ECLOSED", "ECLOSED", "ECLOSED"])
  })

  it("sends again at multiples of the resend time, under the same id", async () => {
    const times: Array<number> = []
    const server = await listenRaw((raw) => {
      raw.socket.write(greeting(0x31))
      raw.socket.on("data", () => times.push(performance.now()))
    })
    scope.addServer(server)
    const req = scope.add(new Req({ resendMillis: 60 }))
    req.dial(server.address)
    await pipesOf(req, 1)

    const reply = req.request("hi")
    await until("three sendings", () => (server.peers[0]?.received().length ?? 0) >= 8 + 3 * 14)

    const [first, second, third] = [8, 22, 36].map((at) =>
      server.peers[0]?.received().subarray(at, at + 14).toString("hex")
    )
    expect([second, third]).toEqual([first, first])
    const id = server.peers[0]?.received().subarray(16, 20) ?? []
    server.peers[0]?.socket.write(frame(...id, 0x6f, 0x6b))
    expect(text(await reply)).toBe("ok")
  })

  it("goes to another peer at the resend time when the first is silent", async () => {
    const silent = await listenRaw((raw) => raw.socket.write(greeting(0x31)))
    scope.addServer(silent)
    const rep = scope.add(new Rep())
    rep.onRequest((request) => request.reply("here"))
    const listener = await rep.listen("tcp://127.0.0.1:0")
    const req = scope.add(new Req())
    req.dial(silent.address)
    await pipesOf(req, 1)

    const reply = req.request("anyone?", { resendMillis: 50 })
    req.dial(listener.address)

    expect(text(await reply)).toBe("here")
  })

  it("fails with ECONNRESET on a lost pipe when it must not send again", async () => {
    const { req, requests } = await makePair("tcp://127.0.0.1:0")
    const failed = [codeOf(req.request("a", { resendMillis: 0 })), codeOf(req.request("b", { resendMillis: 0 }))]
    await until("the requests", () => requests.length === 2)

    requests[0]?.pipe.close()

    expect(await Promise.all(failed)).toEqual(["ECONNRESET", "ECONNRESET"])
    expect(requests.length).toBe(2)
  })

  it("times out, and drops the late reply", async () => {
    const { req, requests } = await makePair("tcp://127.0.0.1:0")

    expect(await codeOf(req.request("slow", { timeoutMillis: 30 }))).toBe("ETIMEDOUT")
    requests[0]?.reply("late")
    const next = req.request("next")
    await until("the next request", () => requests.length === 2)
    requests[1]?.reply("prompt")

    expect(text(await next)).toBe("prompt")
    expect(req.pipes).toBe(1)
  })

  it("times out in the order of the limits, however they are mixed", async () => {
    const req = scope.add(new Req())
    const order: Array<number> = []
    const limits = [90, 10, 50, 30, 70, 20, 80, 40, 60]

    await Promise.all(
      limits.map((timeoutMillis) => req.request("x", { timeoutMillis }).catch(() => order.push(timeoutMillis)))
    )

    expect(order).toEqual(limits.toSorted((a, b) => a - b))
  })

  it("is canceled by its signal, before and during", async () => {
    const { req, requests } = await makePair("tcp://127.0.0.1:0")
    const controller = new AbortController()
    const during = codeOf(req.request("x", { signal: controller.signal }))
    await until("the request", () => requests.length === 1)

    controller.abort()

    expect(await during).toBe("ECANCELED")
    expect(await codeOf(req.request("x", { signal: controller.signal }))).toBe("ECANCELED")
    expect(requests[0]?.reply("ignored")).toBe(true)
    expect(req.outstanding).toBe(0)
  })

  it("never calls back after cancel, nor before requestWith returns", async () => {
    const { rep, req } = await makePair("tcp://127.0.0.1:0")
    rep.onRequest((request) => request.reply(request.body))
    await pipesOf(req, 1)
    const calls: Array<string> = []

    const cancel = req.requestWith("canceled", {}, () => calls.push("canceled"))
    cancel()
    cancel()
    await req.request("after")
    await req.close()
    let returned = false
    req.requestWith("closed", {}, (error) => calls.push(`${returned} ${error?.code}`))
    req.requestWith("closed", {}, () => calls.push("canceled too"))()
    returned = true
    await until("the callback", () => calls.length > 0)

    expect(calls).toEqual(["true ECLOSED"])
  })

  it("fails everything outstanding with ECLOSED on close, also when callbacks ask again", async () => {
    const { req, requests } = await makePair("tcp://127.0.0.1:0")
    let again = 0
    const retry = (): void => {
      if (again++ < 10) req.requestWith("x", {}, retry)
    }
    req.requestWith("x", {}, retry)
    const failed = codeOf(req.request("y"))
    await until("the requests", () => requests.length === 2)

    await Promise.all([req.close(), req.close()])

    expect(await failed).toBe("ECLOSED")
    await until("the callbacks", () => again === 11)
    await expect(req.listen("tcp://127.0.0.1:0")).rejects.toMatchObject({ code: "ECLOSED" })
    expect(() => req.dial("tcp://127.0.0.1:1")).toThrow("closed")
  })

  it("goes on when a callback throws", async () => {
    const { rep, req } = await makePair("inproc://throws")
    rep.onRequest((request) => request.reply(request.body))
    const uncaught = scope.uncaught()

    req.requestWith("x", {}, () => {
      throw new Error("mine")
    })

    expect(text(await req.request("y"))).toBe("y")
    await until("the error", () => uncaught.length === 1)
    expect(uncaught).toMatchObject([{ message: "mine" }])
  })

  it("starts at a random id and counts up with the top bit set", async () => {
    const server = await listenRaw((raw) => raw.socket.write(greeting(0x31)))
    scope.addServer(server)
    const firsts: Array<number> = []
    for (let i = 0; i < 2; i++) {
      const req = scope.add(new Req())
      req.dial(server.address)
      for (let n = 0; n < 3; n++) void req.request("").catch(() => {})
      await until("three requests", () => server.peers[i]?.received().length === 8 + 3 * 12)
      const ids = [16, 28, 40].map((at) => server.peers[i]?.received().readUInt32BE(at) ?? 0)
      expect(ids.every((id) => id >= 0x8000_0000)).toBe(true)
      const next = (id: number): number => id === 0xffff_ffff ? 0x8000_0000 : id + 1
      const [a = 0, b = 0] = ids
      expect(ids).toEqual([a, next(a), next(b)])
      firsts.push(a)
    }
    expect(firsts[0]).not.toBe(firsts[1])
  })
})

describe("Rep", () => {
  it("hands out requests by receive and by iteration, those that waited first", async () => {
    const rep = scope.add(new Rep())
    const listener = await rep.listen("tcp://127.0.0.1:0")
    const req = scope.add(new Req())
    req.dial(listener.address)
    const replies = Array.from({ length: 500 }, (_, i) => req.request(`${i}`))

    const first = await rep.receive()
    first.reply(first.body)
    let count = 1
    for await (const request of rep) {
      request.reply(request.body)
      if (++count === 500) break
    }

    expect((await Promise.all(replies)).map(text)).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`))
  })

  it("gives the requests that waited to a handler set late, in order", async () => {
    const rep = scope.add(new Rep())
    const listener = await rep.listen("tcp://127.0.0.1:0")
    const req = scope.add(new Req())
    req.dial(listener.address)
    const replies = Array.from({ length: 300 }, (_, i) => req.request(`${i}`))
    await pipesOf(rep, 1)
    const order: Array<string> = []

    rep.onRequest((request) => {
      order.push(text(request.body))
      request.reply("")
    })
    await Promise.all(replies)

    expect(order).toEqual(Array.from({ length: 300 }, (_, i) => `${i}`))
    expect(await codeOf(rep.receive())).toBe("ESTATE")
  })

  it("limits a receive by time, signal and close", async () => {
    const rep = scope.add(new Rep())
    const controller = new AbortController()
    const aborted = codeOf(rep.receive({ signal: controller.signal }))
    const closed = codeOf(rep.receive())
    const iterated = (async () => {
      for await (const request of rep) request.reply("")
      return "ended"
    })()

    controller.abort()

    expect(await codeOf(rep.receive({ timeoutMillis: 10 }))).toBe("ETIMEDOUT")
    expect(await aborted).toBe("ECANCELED")
    await rep.close()
    expect(await closed).toBe("ECLOSED")
    expect(await iterated).toBe("ended")
    expect(await codeOf(rep.receive())).toBe("ECLOSED")
  })

  it("refuses a second reply", async () => {
    const { req, requests } = await makePair("tcp://127.0.0.1:0")
    const reply = req.request("x")
    await until("the request", () => requests.length === 1)

    expect(requests[0]?.replied).toBe(false)
    expect(requests[0]?.reply("once")).toBe(true)
    expect(() => requests[0]?.reply("twice")).toThrow("reply once")
    expect(requests[0]?.replied).toBe(true)
    expect(text(await reply)).toBe("once")
  })

  it("does not read a pipe past its unanswered requests, and reads on as replies go out", async () => {
    const rep = scope.add(new Rep({ maxOutstandingPerPipe: 4 }))
    const requests: Array<Request> = []
    rep.onRequest((request) => void requests.push(request))
    const listener = await rep.listen("tcp://127.0.0.1:0")
    const [req, other] = [scope.add(new Req()), scope.add(new Req())]
    req.dial(listener.address)
    const replies = Array.from({ length: 10 }, (_, i) => req.request(`${i}`))
    await until("four requests", () => requests.length === 4)

    other.dial(listener.address)
    const reply = other.request("other")
    await until("the other's request", () => requests.length === 5)
    expect(requests.map(({ body }) => text(body))).toEqual(["0", "1", "2", "3", "other"])
    for (let i = 0; i < 11; i++) {
      await until("the next request", () => requests.length > i)
      requests[i]?.reply("ok")
    }

    expect((await Promise.all([...replies, reply])).map(text)).toEqual(Array(11).fill("ok"))
  })

  it("stops reading a peer that does not fetch its replies", async () => {
    const rep = scope.add(new Rep({ sendHighWaterBytes: 100_000, lingerMillis: 0 }))
    let requests = 0
    rep.onRequest((request) => {
      requests++
      request.reply(new Uint8Array(100_000))
    })
    const listener = await rep.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(listener.address, greeting(0x30))
    raw.socket.pause()
    const many = Buffer.concat(Array.from({ length: 5_000 }, () => frame(0x80, 0, 0, 1)))

    raw.socket.write(many)
    await until("the first requests", () => requests > 0)
    let seen = -1
    await until("no more requests", () => {
      const still = seen === requests
      seen = requests
      return still
    })

    expect(requests).toBeLessThan(1_000)
    raw.socket.resume()
    await until("all requests", () => requests === 5_000)
    raw.socket.destroy()
  })

  it("keeps the backtrace and sends it back, up to the hop limit", async () => {
    const { rep, requests, listener } = await makePair("tcp://127.0.0.1:0")
    const raw = await connectRaw(listener.address, greeting(0x30))
    const stack = (words: number): ReadonlyArray<number> => [
      ...Array.from({ length: words - 1 }, (_, i) => [0, 0, 1, i]).flat(),
      0x80,
      0,
      0,
      words
    ]

    raw.socket.write(Buffer.concat([9, 8, 1].map((words) => frame(...stack(words), 0x61))))
    await until("two requests", () => requests.length === 2)
    for (const request of requests) request.reply(["b", request.body])
    await until("two replies", () => raw.received().length === 8 + 8 + 34 + 8 + 6)

    expect(raw.received().subarray(8)).toEqual(Buffer.concat([8, 1].map((n) => frame(...stack(n), 0x62, 0x61))))
    // One is the REQ of the pair.
    expect(rep.pipes).toBe(2)
    raw.socket.destroy()
  })
})

describe("closing from within a handler", () => {
  it.each(["pipe", "socket"] as const)("ends delivery at once: %s", async (what) => {
    const rep = scope.add(new Rep())
    const got: Array<string> = []
    const { address } = await rep.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(address)
    rep.onRequest((request) => {
      got.push(text(request.body))
      request.reply("bye")
      if (what === "pipe") request.pipe.close()
      else void rep.close()
    })

    raw.socket.write(Buffer.concat([greeting(0x30), ...[1, 2, 3].map((id) => frame(0x80, 0, 0, id, 0x60 + id))]))
    await until("the end", raw.closed)

    expect(got).toEqual(["a"])
    expect(raw.received().subarray(8)).toEqual(Buffer.from(frame(0x80, 0, 0, 1, ...Buffer.from("bye"))))
  })
})

describe("options", () => {
  it.each([
    [{ receiveMaxBytes: -1 }],
    [{ reconnectMinMillis: 0 }],
    [{ lingerMillis: 1.5 }],
    [{ maxTtl: 16 }],
    [{ handshakeTimeoutMillis: Number.NaN }]
  ])("out of range are refused: %j", (options) => {
    expect(() => new Rep(options)).toThrow("must be a whole number")
  })

  it("that are undefined have their defaults", async () => {
    const rep = scope.add(new Rep({ receiveMaxBytes: undefined }))
    rep.onRequest((request) => request.reply(request.body))
    const { address } = await rep.listen("inproc://defaults")
    const req = scope.add(new Req({ resendMillis: undefined }))
    req.dial(address)

    expect(text(await req.request("x", { timeoutMillis: undefined, signal: undefined }))).toBe("x")
  })
})
