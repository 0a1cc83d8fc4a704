import { afterEach, describe, expect, it } from "vitest"
import type { Pipe } from "../src/index.ts"
import { Pub, Pull, Push, Rep, Req } from "../src/index.ts"
import { connectRaw, frame, greeting, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

describe("Socket.admit", () => {
  it("refuses a pipe before a message passes, and the dialer comes again", async () => {
    const rep = scope.add(new Rep())
    const asked: Array<Pipe> = []
    const events: Array<string> = []
    rep.admit((pipe) => asked.push(pipe) > 2)
    rep.onPipe(() => void events.push("open"))
    rep.onPipeClose(() => void events.push("close"))
    rep.onRefused((_, reason) => void events.push(reason.code))
    rep.onRequest((request) => request.reply("yes"))
    const { address } = await rep.listen("tcp://127.0.0.1:0")
    const req = scope.add(new Req({ reconnectMinMillis: 5 }))
    req.dial(address)

    expect(text(await req.request("x"))).toBe("yes")

    expect(events).toEqual(["EPERM", "EPERM", "open"])
    expect(asked.map(({ remoteAddress }) => remoteAddress.startsWith("tcp://127.0.0.1:"))).toEqual([true, true, true])
    expect(rep.stats()).toMatchObject({ pipes: 1, pipesOpened: 1, refused: { EPERM: 2 } })
  })

  it("refuses for a dialer as well, until the hook is taken off", async () => {
    const pull = scope.add(new Pull())
    const { address } = await pull.listen("inproc://admit")
    const push = scope.add(new Push({ reconnectMinMillis: 5, reconnectMaxMillis: 10 }))
    let calls = 0
    const off = push.admit(() => ++calls < 0)
    const dialer = push.dial(address)
    await until("two refusals", () => calls >= 2)
    expect(dialer.connected).toBe(false)
    expect(push.trySend("x")).toBe(false)

    off()

    await push.send("x")
    expect(text(await pull.receive())).toBe("x")
  })

  it("refuses when it throws, which is raised", async () => {
    const uncaught = scope.uncaught()
    const rep = scope.add(new Rep())
    rep.admit(() => {
      throw new Error("mine")
    })
    const { address } = await rep.listen("tcp://127.0.0.1:0")

    const raw = await connectRaw(address, greeting(0x30))
    await until("its end", raw.closed)

    await until("the error", () => uncaught.length === 1)
    expect(uncaught).toMatchObject([{ message: "mine" }])
    expect(rep.pipes).toBe(0)
  })
})

describe("stats", () => {
  it("count messages and bytes each way, by pipe and by socket, closed pipes included", async () => {
    const push = scope.add(new Push())
    const pipes: Array<Pipe> = []
    push.onPipe((pipe) => void pipes.push(pipe))
    const { address } = await push.listen("tcp://127.0.0.1:0")
    const pull = scope.add(new Pull({ reconnectMinMillis: 5 }))
    pull.dial(address)

    for (const message of ["häß", ["a", Uint8Array.of(1, 2)], ""]) await push.send(message)
    await until("all", () => pull.stats().messagesIn === 3)
    expect([pull.stats().bytesIn, push.stats().bytesOut, pipes[0]?.stats().bytesOut]).toEqual([8, 8, 8])
    pipes[0]?.close()
    await until("the next pipe", () => pipes.length === 2)
    await push.send("1234")
    await until("it", () => pull.stats().messagesIn === 4)

    expect(pipes.map((pipe) => pipe.stats().messagesOut)).toEqual([3, 1])
    expect(push.stats()).toMatchObject({
      messagesOut: 4,
      bytesOut: 12,
      messagesIn: 0,
      pipes: 1,
      pipesOpened: 2,
      pipesClosed: 1,
      reconnects: 0
    })
    expect(pull.stats()).toMatchObject({ messagesIn: 4, bytesIn: 12, pipesOpened: 2, reconnects: 1 })
  })

  it("count the protocol's header, not the framing", async () => {
    const rep = scope.add(new Rep())
    rep.onRequest((request) => request.reply("ok"))
    const { address } = await rep.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(address, Buffer.concat([greeting(0x30), frame(0, 0, 0, 9, 0x80, 0, 0, 1, 0x61)]))

    await until("the reply", () => raw.received().length === 8 + 8 + 10)

    expect(rep.stats()).toMatchObject({ messagesIn: 1, bytesIn: 9, messagesOut: 1, bytesOut: 10 })
    raw.socket.destroy()
  })

  it("count what a slow subscriber misses at its pipe", async () => {
    const pub = scope.add(new Pub({ sendHighWaterBytes: 1, sendBufferMessages: 0, lingerMillis: 0 }))
    const pipes: Array<Pipe> = []
    pub.onPipe((pipe) => void pipes.push(pipe))
    const { address } = await pub.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(address, greeting(0x21))
    await pipesOf(pub, 1)

    // In one tick: the first fills the pipe, and there is no buffer.
    for (let i = 0; i < 5; i++) pub.send("x")

    expect(pipes[0]?.stats()).toMatchObject({ messagesOut: 1, dropped: { sendBufferFull: 4 } })
    expect(pub.stats().dropped.sendBufferFull).toBe(4)
    raw.socket.destroy()
  })
})

describe("await using", () => {
  it("closes a socket at the end of its block, and what waits fails", async () => {
    let kept: Pull
    let waiting: Promise<unknown>
    {
      await using pull = new Pull()
      kept = pull
      waiting = pull.receive().catch((error: unknown) => error)
    }

    expect(kept.closed).toBe(true)
    expect(await waiting).toMatchObject({ code: "ECLOSED" })
  })
})
