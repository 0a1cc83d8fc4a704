import { afterEach, describe, expect, it } from "vitest"
import type { NngError } from "../src/index.ts"
import { Pair0, Pair1 } from "../src/index.ts"
import { connectRaw, frame, greeting, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => "none", (error: NngError) => error.code)

describe.each(
  [
    ["Pair0", Pair0, 0x10, []],
    ["Pair1", Pair1, 0x11, [0, 0, 0, 1]]
  ] as const
)("%s", (_, Pair, id, header) => {
  const meet = async (address = "tcp://127.0.0.1:0") => {
    const [left, right] = [scope.add(new Pair()), scope.add(new Pair())]
    const listener = await left.listen(address)
    const dialer = right.dial(listener.address)
    await pipesOf(left, 1)
    return { left, right, dialer, address: listener.address }
  }

  it.each(["tcp://127.0.0.1:0", "ipc", "inproc://pair"])("talks both ways over %s", async (kind) => {
    const { left, right } = await meet(kind === "ipc" ? `ipc://${scope.directory()}/s` : kind)
    const large = "x".repeat(500_000)

    for (let i = 0; i < 500; i++) {
      await left.send(`left ${i}`)
      await right.send(`right ${i}`)
    }
    await left.send(large)

    for (let i = 0; i < 500; i++) {
      expect([text(await right.receive()), text(await left.receive())]).toEqual([`left ${i}`, `right ${i}`])
    }
    expect(text(await right.receive())).toBe(large)
  })

  it("refuses a second peer while it has one, undisturbed, and takes one when it is free", async () => {
    const { left, right, address } = await meet()
    const refused: Array<string> = []
    left.onRefused((_address, reason) => void refused.push(reason.code))
    const third = scope.add(new Pair({ reconnectMinMillis: 5, reconnectMaxMillis: 20 }))
    third.dial(address)
    await until("refusals", () => refused.length >= 2)

    await left.send("to the first")
    expect(text(await right.receive())).toBe("to the first")
    expect([left.pipes, new Set(refused)]).toEqual([1, new Set(["EBUSY"])])
    expect(left.stats().refused.EBUSY).toBe(refused.length)

    await right.close()
    await left.send("to the next")
    expect(text(await third.receive())).toBe("to the next")
  })

  it("waits without a peer; keeps what its buffer holds for the next", async () => {
    const left = scope.add(new Pair({ sendBufferMessages: 2 }))
    expect([1, 2, 3].map((n) => left.trySend(`${n}`))).toEqual([true, true, false])
    expect(await codeOf(left.send("late", { timeoutMillis: 5 }))).toBe("ETIMEDOUT")
    const waiting = left.send("3")
    const { address } = await left.listen("tcp://127.0.0.1:0")
    const right = scope.add(new Pair())
    right.dial(address)

    await waiting

    expect([text(await right.receive()), text(await right.receive()), text(await right.receive())])
      .toEqual(["1", "2", "3"])
    expect(left.buffered).toBe(0)
  })

  it("holds its peer back when nobody receives", async () => {
    const left = scope.add(new Pair({ sendHighWaterBytes: 100_000, lingerMillis: 0 }))
    const right = scope.add(new Pair({ receiveBufferMessages: 3 }))
    const { address } = await left.listen("tcp://127.0.0.1:0")
    right.dial(address)
    await pipesOf(left, 1)
    const body = new Uint8Array(100_000)
    let sent = 0
    while (left.trySend(body)) {
      if (++sent > 300) throw new Error("it never holds back")
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(right.stats().messagesIn).toBeLessThan(5)

    const last = left.send("last")
    for (let i = 0; i < sent; i++) expect((await right.receive()).length).toBe(100_000)

    expect(text(await right.receive())).toBe("last")
    await last
  })

  it("ends its waits on close, both kinds", async () => {
    const pair = scope.add(new Pair())
    const waiting = [codeOf(pair.send("x")), codeOf(pair.receive())]

    await pair.close()

    expect(await Promise.all(waiting)).toEqual(["ECLOSED", "ECLOSED"])
  })

  it("puts its header on the wire and takes it off", async () => {
    const pair = scope.add(new Pair())
    const { address } = await pair.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(address, Buffer.concat([greeting(id), frame(...header, 0x61), frame(...header)]))

    await pair.send("b")

    expect([text(await pair.receive()), text(await pair.receive())]).toEqual(["a", ""])
    await until("the message", () => raw.received().length === 8 + 8 + header.length + 1)
    expect(raw.received().subarray(8)).toEqual(Buffer.from(frame(...header, 0x62)))
    raw.socket.destroy()
  })
})

describe("Pair1", () => {
  it("drops messages of too many hops and keeps the connection", async () => {
    const pair = scope.add(new Pair1({ maxTtl: 3 }))
    const { address } = await pair.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(address, greeting(0x11))

    raw.socket.write(Buffer.concat([4, 255, 3, 0].map((hops) => frame(0, 0, 0, hops, hops))))

    expect([(await pair.receive())[0], (await pair.receive())[0]]).toEqual([3, 0])
    expect([pair.stats().dropped.hopLimit, pair.pipes]).toEqual([2, 1])
    raw.socket.destroy()
  })
})
