import { afterEach, describe, expect, it } from "vitest"
import type { NngError, Pipe } from "../src/index.ts"
import { Pull, Push } from "../src/index.ts"
import { makeRandom } from "./random.ts"
import { connectRaw, frame, freePort, greeting, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => "none", (error: NngError) => error.code)

const range = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, i) => `${i}`)

/** A PULL that keeps what comes. */
const makePull = (address: string) => {
  const pull = scope.add(new Pull())
  const got: Array<string> = []
  pull.onMessage((body) => void got.push(text(body)))
  const dialer = pull.dial(address)
  return { pull, got, dialer }
}

describe.each(["tcp://127.0.0.1:0", "ipc", "inproc://pipeline"])("Push and Pull over %s", (kind) => {
  const listening = async () => {
    const push = scope.add(new Push())
    const listener = await push.listen(kind === "ipc" ? `ipc://${scope.directory()}/s` : kind)
    return { push, address: listener.address }
  }

  it("gives each message to one peer, in turn", async () => {
    const { push, address } = await listening()
    const pulls = [1, 2, 3].map(() => makePull(address))
    await pipesOf(push, 3)

    for (const message of range(300)) await push.send(message)

    await until("all", () => pulls.reduce((sum, { got }) => sum + got.length, 0) === 300)
    for (const { got } of pulls) expect(got.length).toBe(100)
    expect(pulls.flatMap(({ got }) => got).toSorted()).toEqual(range(300).toSorted())
  })

  it("waits for a peer, and keeps the order of what waits", async () => {
    const { push, address } = await listening()
    const sent = range(100).map((message) => push.send(message))
    expect(push.trySend("no peer")).toBe(false)

    const { got } = makePull(address)
    await Promise.all(sent)

    await until("all", () => got.length === 100)
    expect(got).toEqual(range(100))
  })

  it("hands out by promise, attempt and iteration", async () => {
    const { push, address } = await listening()
    const pull = scope.add(new Pull())
    pull.dial(address)
    expect(pull.tryReceive()).toBe(undefined)
    const first = pull.receive()
    for (const message of range(1_000)) await push.send(message)

    const got = [text(await first), text(await pull.receive())]
    await until("the third", () => {
      const third = pull.tryReceive()
      return third !== undefined && got.push(text(third)) > 0
    })
    for await (const body of pull) {
      if (got.push(text(body)) === 1_000) break
    }

    expect(got).toEqual(range(1_000))
  })

  it("delivers what was sent before close, on either side", async () => {
    const { push, address } = await listening()
    const pull = scope.add(new Pull({ receiveBufferMessages: 5 }))
    pull.dial(address)
    await pipesOf(push, 1)

    for (const message of range(2_000)) await push.send(message)
    const closing = push.close()
    const got: Array<string> = []
    for await (const body of pull) {
      if (got.push(text(body)) === 2_000) break
    }
    await closing

    expect(got).toEqual(range(2_000))
  })
})

describe("Push", () => {
  it("keeps what its buffer holds, in messages and bytes, and waits beyond", async () => {
    const byCount = scope.add(new Push({ sendBufferMessages: 3 }))
    const byBytes = scope.add(new Push({ sendBufferMessages: 100, sendBufferBytes: 10 }))

    expect(range(5).map((message) => byCount.trySend(message))).toEqual([true, true, true, false, false])
    expect(["12345", "1234", "12"].map((message) => byBytes.trySend(message))).toEqual([true, true, false])
    expect([byCount.buffered, byBytes.buffered]).toEqual([3, 2])
    expect(await codeOf(byCount.send("x", { timeoutMillis: 5 }))).toBe("ETIMEDOUT")
    const waiting = byCount.send("last")
    const { address } = await byCount.listen("tcp://127.0.0.1:0")
    const { got } = makePull(address)
    await waiting
    await until("all", () => got.length === 4)
    expect(got).toEqual(["0", "1", "2", "last"])
  })

  it("takes one message larger than its buffer, so that none is stuck", () => {
    const push = scope.add(new Push({ sendBufferMessages: 2, sendBufferBytes: 10 }))

    expect([push.trySend("x".repeat(100)), push.trySend("y")]).toEqual([true, false])
  })

  it("does not send what timed out or was canceled, before and during", async () => {
    const push = scope.add(new Push())
    const controller = new AbortController()
    const [late, during] = [push.send("late", { timeoutMillis: 5 }), push.send("x", { signal: controller.signal })]
    const kept = push.send("kept")

    expect(await codeOf(late)).toBe("ETIMEDOUT")
    controller.abort(new Error("mine"))
    const error: unknown = await during.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: "ECANCELED", cause: { message: "mine" } })
    expect(await codeOf(push.send("x", { signal: controller.signal }))).toBe("ECANCELED")
    const { address } = await push.listen("tcp://127.0.0.1:0")
    const { got } = makePull(address)
    await kept
    await until("the one", () => got.length > 0)
    await push.send("end")
    await until("the end", () => got.includes("end"))
    expect(got).toEqual(["kept", "end"])
  })

  it("bounds the sends that wait, for callers that do not", async () => {
    const push = scope.add(new Push())
    const waiting = Array.from({ length: 65_536 }, () => codeOf(push.send("x")))

    expect(await codeOf(push.send("one too many"))).toBe("EAGAIN")

    await push.close()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["ECLOSED"]))
  })

  it("fails what waits when it closes, and everything after", async () => {
    const push = scope.add(new Push())
    const waiting = codeOf(push.send("x"))

    await push.close()

    expect(await waiting).toBe("ECLOSED")
    expect(await codeOf(push.send("x"))).toBe("ECLOSED")
    expect(() => push.trySend("x")).toThrow("closed")
  })

  it("holds back when its peer stalls, and loses nothing", async () => {
    const push = scope.add(new Push({ sendHighWaterBytes: 100_000 }))
    const { address } = await push.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(address, greeting(0x51))
    raw.socket.pause()
    await pipesOf(push, 1)
    const body = new Uint8Array(100_000)

    let accepted = 0
    while (push.trySend(body)) {
      // The system's buffers take some megabytes first.
      if (++accepted > 160) throw new Error("it never holds back")
      await new Promise((resolve) => setImmediate(resolve))
    }
    const rest = Array.from({ length: 160 - accepted }, () => push.send(body))
    raw.socket.resume()
    await Promise.all(rest)

    await until("16 MB", () => raw.received().length === 8 + 160 * 100_008)
    raw.socket.destroy()
  })

  it("passes over a peer that is slow", async () => {
    const push = scope.add(new Push({ sendHighWaterBytes: 50_000, lingerMillis: 0 }))
    const { address } = await push.listen("tcp://127.0.0.1:0")
    const slow = await connectRaw(address, greeting(0x51))
    slow.socket.pause()
    const { got } = makePull(address)
    await pipesOf(push, 2)

    for (let i = 0; i < 1_000; i++) await push.send(["x".repeat(20_000), `${i}`])
    await until("most", () => got.length > 600)

    expect(got.length).toBeLessThanOrEqual(1_000)
    slow.socket.destroy()
  })

  it("hands what it still holds to the next peer", async () => {
    const port = await freePort()
    const push = scope.add(new Push({ sendBufferMessages: 10, reconnectMinMillis: 10, sendHighWaterBytes: 1 }))
    const first = await connectPull(port)
    push.dial(`tcp://127.0.0.1:${port}`)
    await pipesOf(push, 1)
    await push.send("one")
    expect(text(await first.receive())).toBe("one")
    await first.close()
    await pipesOf(push, 0)
    const sent = range(15).map((message) => push.send(message))

    const second = await connectPull(port)

    await Promise.all(sent)
    const got: Array<string> = []
    for await (const body of second) {
      if (got.push(text(body)) === 15) break
    }
    expect(got).toEqual(range(15))
  })

  const connectPull = async (port: number): Promise<Pull> => {
    const pull = scope.add(new Pull())
    await pull.listen(`tcp://127.0.0.1:${port}`)
    return pull
  }

  it("discards what a PULL sends, and counts it", async () => {
    const push = scope.add(new Push())
    const { address } = await push.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(address, Buffer.concat([greeting(0x51), frame(1, 2)]))

    await until("the drop", () => push.stats().dropped.unexpected === 1)

    expect(push.pipes).toBe(1)
    raw.socket.destroy()
  })
})

describe("Pull", () => {
  it("is not read past its buffer, and reads on as messages are taken", async () => {
    const push = scope.add(new Push({ sendHighWaterBytes: 50_000, lingerMillis: 0 }))
    const pull = scope.add(new Pull({ receiveBufferMessages: 4 }))
    const other = scope.add(new Push())
    const { address } = await pull.listen("tcp://127.0.0.1:0")
    push.dial(address)
    await pipesOf(push, 1)
    let sent = 0
    const pump = (async () => {
      for (; sent < 2_000; sent++) await push.send([new Uint8Array(10_000), `${sent}`.padStart(5)])
    })()
    let before = -1
    await until("a stop", () => {
      const still = before === sent && sent > 0
      before = sent
      return still
    })
    // One that was gathered when the pause came, at most, beside the four.
    const held = pull.stats().messagesIn
    expect(held).toBeLessThan(6)
    other.dial(address)
    await other.send("other")
    await until("the other's message", () => pull.stats().messagesIn === held + 1)

    const got: Array<string> = []
    for await (const body of pull) {
      if (got.push(text(body).slice(-5)) === 2_001) break
    }

    await pump
    expect(got.indexOf("other")).toBe(held)
    expect(got.filter((name) => name !== "other").map(Number)).toEqual(Array.from({ length: 2_000 }, (_, i) => i))
  })

  it("limits a receive by time, signal and close", async () => {
    const pull = scope.add(new Pull())
    const controller = new AbortController()
    const [aborted, closed] = [codeOf(pull.receive({ signal: controller.signal })), codeOf(pull.receive())]
    const iterated = (async () => {
      for await (const _ of pull) throw new Error("nothing was sent")
      return "ended"
    })()
    const limited = codeOf((async () => {
      for await (const _ of pull.messages({ timeoutMillis: 5 })) throw new Error("nothing was sent")
    })())

    controller.abort()

    expect(await codeOf(pull.receive({ timeoutMillis: 5 }))).toBe("ETIMEDOUT")
    expect(await codeOf(pull.receive({ signal: controller.signal }))).toBe("ECANCELED")
    expect([await aborted, await limited]).toEqual(["ECANCELED", "ETIMEDOUT"])
    await pull.close()
    expect([await closed, await iterated]).toEqual(["ECLOSED", "ended"])
  })
})

describe("any sending over pipes that come and go", () => {
  it.each([1, 2, 3, 4, 5, 6])("hands each message to one pipe, once and in order (seed %i)", async (seed) => {
    const random = makeRandom(seed)
    const push = scope.add(new Push({ sendBufferMessages: random(20), sendHighWaterBytes: 1 + random(2_000) }))
    const pipes: Array<Pipe> = []
    const closed = new Set<Pipe>()
    push.onPipe((pipe) => void pipes.push(pipe))
    push.onPipeClose((pipe) => void closed.add(pipe))
    const { address } = await push.listen(seed % 2 === 0 ? "tcp://127.0.0.1:0" : `inproc://go-${seed}`)
    const pulls = [makePull(address)]
    const over = new AbortController()
    const coming = (async () => {
      while (!over.signal.aborted) {
        await new Promise((resolve) => setTimeout(resolve, random(4)))
        const victim = pulls[random(pulls.length)]
        if (random(2) === 0 && victim !== undefined) await victim.pull.close()
        else pulls.push(makePull(address))
      }
    })()

    for (let i = 0; i < 3_000; i++) {
      await push.send(`${i} ${"x".repeat(random(200))}`)
      if (random(50) === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    over.abort()
    await coming
    pulls.push(makePull(address))
    const survivors = pulls.filter(({ pull }) => !pull.closed)
    await until("the survivors", () => pipes.length - closed.size === survivors.length && push.buffered === 0)

    const out = (only: (pipe: Pipe) => boolean) =>
      pipes.filter(only).reduce((sum, pipe) => sum + pipe.stats().messagesOut, 0)
    expect(out(() => true)).toBe(3_000)
    // What was handed to a pipe that lives arrives; only what a dead one had may be missing.
    const survived = () => survivors.reduce((sum, { got }) => sum + got.length, 0)
    await until("what was handed to them", () => survived() === out((pipe) => !closed.has(pipe)))
    const numbers = pulls.map(({ got }) => got.map((message) => Number(message.split(" ")[0])))
    for (const list of numbers) expect(list).toEqual(list.toSorted((a, b) => a - b))
    const all = numbers.flat()
    expect(new Set(all).size).toBe(all.length)
    expect(3_000 - all.length).toBeLessThanOrEqual(out((pipe) => closed.has(pipe)))
  })
})
