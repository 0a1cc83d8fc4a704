import { afterEach, describe, expect, it } from "vitest"
import { Bus } from "../src/index.ts"
import { connectRaw, frame, greeting, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

const makeBus = () => {
  const bus = scope.add(new Bus())
  const got: Array<string> = []
  bus.onMessage((body) => void got.push(text(body)))
  return { bus, got }
}

describe.each(["tcp://127.0.0.1:0", "ipc", "inproc://bus"])("Bus over %s", (kind) => {
  const address = () => kind === "ipc" ? `ipc://${scope.directory()}/s` : kind

  it("sends to all direct peers, never back, and passes nothing on", async () => {
    const [hub, left, right] = [makeBus(), makeBus(), makeBus()]
    const listener = await hub.bus.listen(address())
    left.bus.dial(listener.address)
    right.bus.dial(listener.address)
    await pipesOf(hub.bus, 2)
    await Promise.all([pipesOf(left.bus, 1), pipesOf(right.bus, 1)])

    left.bus.send("from left")
    await until("it at the hub", () => hub.got.length === 1)
    hub.bus.send("from hub")
    await until("it at both", () => left.got.length === 1 && right.got.length === 1)

    expect([hub.got, left.got, right.got]).toEqual([["from left"], ["from hub"], ["from hub"]])
  })

  it("sends what was sent before close", async () => {
    const [one, two] = [makeBus(), makeBus()]
    two.bus.dial((await one.bus.listen(address())).address)
    await pipesOf(one.bus, 1)

    for (let i = 0; i < 1_000; i++) one.bus.send(`${i}`)
    await one.bus.close()

    await until("all", () => two.got.length === 1_000)
    expect(() => one.bus.send("x")).toThrow("closed")
  })
})

describe("Bus", () => {
  it("does nothing without peers", () => {
    const { bus } = makeBus()

    bus.send("nobody")

    expect(bus.stats().messagesOut).toBe(0)
  })

  it("drops new messages for a peer that does not read, for it alone, and counts them", async () => {
    const bus = scope.add(new Bus({ sendHighWaterBytes: 50_000, sendBufferMessages: 2, lingerMillis: 0 }))
    const { address } = await bus.listen("tcp://127.0.0.1:0")
    const stuck = await connectRaw(address, greeting(0x70))
    stuck.socket.pause()
    const quick = makeBus()
    quick.bus.dial(address)
    await pipesOf(bus, 2)

    let sent = 0
    for (; bus.stats().dropped.sendBufferFull < 5; sent++) {
      if (sent > 2_000) throw new Error("the stuck peer never fills")
      bus.send([new Uint8Array(49_999), `${sent % 10}`])
      await until("the quick peer", () => quick.got.length === sent + 1)
    }

    stuck.socket.resume()
    await until("what was kept", () => stuck.received().length >= 8 + (sent - 5) * 50_008)
    // The first ones came, in order; the newest are missing.
    const digits = Array.from({ length: sent - 5 }, (_, i) => stuck.received()[8 + (i + 1) * 50_008 - 1])
    expect(digits).toEqual(Array.from({ length: sent - 5 }, (_, i) => 0x30 + i % 10))
    stuck.socket.destroy()
  })

  it("drops new messages that nobody receives, and counts them", async () => {
    const bus = scope.add(new Bus({ receiveBufferMessages: 3 }))
    const { address } = await bus.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(address, Buffer.concat([greeting(0x70), ...[1, 2, 3, 4, 5].map((n) => frame(n))]))

    await until("two drops", () => bus.stats().dropped.receiveBufferFull === 2)

    expect([1, 2, 3, 4].map(() => bus.tryReceive()?.[0])).toEqual([1, 2, 3, undefined])
    raw.socket.destroy()
  })

  it("bounds what nobody receives in bytes as well", async () => {
    const bus = scope.add(new Bus({ receiveBufferBytes: 6 }))
    const { address } = await bus.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(address, Buffer.concat([greeting(0x70), frame(1, 2, 3), frame(4, 5, 6), frame(7)]))

    await until("the drop", () => bus.stats().dropped.receiveBufferFull === 1)

    expect([1, 2, 3].map(() => bus.tryReceive()?.length)).toEqual([3, 3, undefined])
    raw.socket.destroy()
  })

  it("refuses a second listener on its address, and goes on", async () => {
    const [one, two] = [makeBus(), makeBus()]
    const { address } = await one.bus.listen("tcp://127.0.0.1:0")

    await expect(two.bus.listen(address)).rejects.toMatchObject({ code: "EADDRINUSE" })
    two.bus.dial(address)
    await pipesOf(one.bus, 1)
    one.bus.send("still here")
    await until("it", () => two.got.length === 1)
  })
})
