import { afterEach, describe, expect, it } from "vitest"
import type { NngError, Pipe } from "../src/index.ts"
import { Pub, Sub } from "../src/index.ts"
import { connectRaw, frame, greeting, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

/** Messages dropped for want of room. */
const droppedBy = (socket: Pub | Sub): number => {
  const { receiveBufferFull, sendBufferFull } = socket.stats().dropped
  return receiveBufferFull + sendBufferFull
}

const scope = makeScope()
afterEach(scope.close)

const makeSub = async (address: string, ...topics: ReadonlyArray<string>) => {
  const sub = scope.add(new Sub())
  const got: Array<string> = []
  for (const topic of topics) sub.subscribe(topic)
  sub.onMessage((body) => void got.push(text(body)))
  const opened = new Promise<void>((resolve) => void sub.onPipe(() => resolve()))
  sub.dial(address)
  await opened
  return { sub, got }
}

describe.each(["tcp://127.0.0.1:0", "ipc", "inproc://topic"])("Pub and Sub over %s", (kind) => {
  const listening = async () => {
    const pub = scope.add(new Pub())
    const listener = await pub.listen(kind === "ipc" ? `ipc://${scope.directory()}/s` : kind)
    return { pub, address: listener.address }
  }

  it("delivers by topic, the empty one being all and none nothing", async () => {
    const { pub, address } = await listening()
    const [a, ab, all, none, many] = await Promise.all([
      makeSub(address, "a"),
      makeSub(address, "ab"),
      makeSub(address, ""),
      makeSub(address),
      makeSub(address, "b", "ab", "a", "a")
    ])
    await pipesOf(pub, 5)

    for (const message of ["a1", "ab2", "b3", "", ["a", "b", "4"], "end"]) pub.send(message)
    await until("the last", () => all.got.includes("end"))
    await until("the others", () => a.got.length === 3 && ab.got.length === 2 && many.got.length === 4)

    expect(a.got).toEqual(["a1", "ab2", "ab4"])
    expect(ab.got).toEqual(["ab2", "ab4"])
    expect(all.got).toEqual(["a1", "ab2", "b3", "", "ab4", "end"])
    expect(none.got).toEqual([])
    expect(many.got).toEqual(["a1", "ab2", "b3", "ab4"])
  })

  it("gives a late joiner nothing old, and what is sent to it alone", async () => {
    const { pub, address } = await listening()
    const early = await makeSub(address, "")
    await pipesOf(pub, 1)
    pub.send("old")
    pub.onPipe((pipe) => pub.sendTo(pipe, "welcome"))

    const late = await makeSub(address, "")
    await until("the welcome", () => late.got.length === 1)
    pub.send("new")
    await until("the new one", () => late.got.length === 2 && early.got.length === 2)

    expect(late.got).toEqual(["welcome", "new"])
    expect(early.got).toEqual(["old", "new"])
  })

  it("sends what was published before close", async () => {
    const { pub, address } = await listening()
    const { got } = await makeSub(address, "")
    await pipesOf(pub, 1)

    for (let i = 0; i < 1_000; i++) pub.send(`${i}`)
    await pub.close()

    await until("all", () => got.length === 1_000)
  })
})

describe("Pub", () => {
  it("drops the oldest for a slow subscriber, and for it alone", async () => {
    const pub = scope.add(new Pub({ sendHighWaterBytes: 100_000, sendBufferMessages: 10, lingerMillis: 0 }))
    const listener = await pub.listen("tcp://127.0.0.1:0")
    const slow = await connectRaw(listener.address, greeting(0x21))
    slow.socket.pause()
    const { got } = await makeSub(listener.address, "")
    await pipesOf(pub, 2)

    // Each in a tick of its own, so that the fast one is not dropped from as well.
    let sent = 0
    while (droppedBy(pub) < 50) {
      if (sent > 2_000) throw new Error("the slow subscriber never fills")
      pub.send(["x".repeat(49_990), `${sent++}`.padStart(10, "0")])
      await until("the fast subscriber", () => got.length === sent)
    }

    expect(got.map((body) => Number(body.slice(-10)))).toEqual(Array.from({ length: sent }, (_, i) => i))
    expect(droppedBy(pub)).toBe(50)
    slow.socket.resume()
    const frames = (): ReadonlyArray<number> => {
      const bytes = slow.received().subarray(8)
      return Array.from(
        { length: Math.floor(bytes.length / 50_008) },
        (_, i) => Number(text(bytes.subarray(i * 50_008 + 49_998, (i + 1) * 50_008)))
      )
    }
    await until("what was kept", () => frames().at(-1) === sent - 1)
    const kept = frames()
    expect(kept.length).toBe(sent - 50)
    // The oldest in the queue went; its ten newest and what was in the pipe before did not.
    expect(kept.slice(-10)).toEqual(Array.from({ length: 10 }, (_, i) => sent - 10 + i))
    expect(kept[0]).toBe(0)
    slow.socket.destroy()
  })

  it("disconnects a subscriber that sends", async () => {
    const pub = scope.add(new Pub())
    const refused: Array<string> = []
    pub.onRefused((_, reason) => void refused.push(reason.code))
    const listener = await pub.listen("tcp://127.0.0.1:0")

    const raw = await connectRaw(listener.address, Buffer.concat([greeting(0x21), frame(1, 2)]))
    await until("the end", raw.closed)

    expect(refused).toEqual(["EPROTO"])
  })

  it("does nothing for a pipe that is gone, and throws when closed", async () => {
    const pub = scope.add(new Pub())
    const pipes: Array<Pipe> = []
    pub.onPipe((pipe) => void pipes.push(pipe))
    const listener = await pub.listen("inproc://gone")
    const { sub } = await makeSub(listener.address, "")
    await until("the pipe", () => pipes.length === 1)
    await sub.close()
    await pipesOf(pub, 0)
    const [pipe] = pipes
    if (pipe === undefined) throw new Error("no pipe")

    pub.send("nobody")
    pub.sendTo(pipe, "nobody")
    await pub.close()

    expect(droppedBy(pub)).toBe(0)
    expect(() => pub.send("x")).toThrow("closed")
  })
})

describe("Sub", () => {
  it("keeps the newest when nobody receives", async () => {
    const pub = scope.add(new Pub())
    const listener = await pub.listen("tcp://127.0.0.1:0")
    const sub = scope.add(new Sub({ receiveBufferMessages: 5 }))
    sub.subscribe("")
    sub.dial(listener.address)
    await pipesOf(pub, 1)

    for (let i = 0; i < 12; i++) pub.send(`${i}`)
    await until("seven dropped", () => droppedBy(sub) === 7)

    const got: Array<string> = []
    for await (const body of sub) {
      got.push(text(body))
      if (got.length === 5) break
    }
    expect(got).toEqual(["7", "8", "9", "10", "11"])
  })

  it("forgets what no longer matches when it unsubscribes", async () => {
    const pub = scope.add(new Pub())
    const listener = await pub.listen("tcp://127.0.0.1:0")
    const sub = scope.add(new Sub({ receiveBufferMessages: 4 }))
    for (const topic of ["a", "b", "end"]) sub.subscribe(topic)
    sub.dial(listener.address)
    await pipesOf(pub, 1)
    for (const message of ["zero a", "a1", "b1", "a2", "b2", "end"]) pub.send(message)
    await until("the last", () => droppedBy(sub) === 1)

    sub.unsubscribe("b")

    expect([text(await sub.receive()), text(await sub.receive())]).toEqual(["a2", "end"])
    expect(() => sub.unsubscribe("b")).toThrow("not subscribed")
    expect(await sub.receive({ timeoutMillis: 5 }).catch((error: NngError) => error.code)).toBe("ETIMEDOUT")
  })
})
