/** What connections suffer, by a proxy between the sockets. */
import { setTimeout as wait } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { afterEach, describe, expect, it } from "vitest"
import type { NngError } from "../src/index.ts"
import { Pull, Push, Rep, Req } from "../src/index.ts"
import { makeProxy } from "./proxy.ts"
import { makeRandom } from "./random.ts"
import { pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

const portOf = (address: string): number => Number(/(\d+)$/.exec(address)?.[1])

/** An echo behind a proxy. */
const makeEcho = async () => {
  const rep = scope.add(new Rep())
  rep.onRequest((request) => request.reply(request.body))
  const { address } = await rep.listen("tcp://127.0.0.1:0")
  const proxy = await makeProxy(portOf(address))
  scope.addServer(proxy)
  return { rep, proxy, address }
}

describe("REQ behind connections that are cut", () => {
  it("gets every answer when it may ask again", async () => {
    const { proxy } = await makeEcho()
    const req = scope.add(new Req({ reconnectMinMillis: 1, reconnectMaxMillis: 5 }))
    req.dial(proxy.address)
    req.dial(proxy.address)
    const random = makeRandom(1)
    let settled = 0
    const replies = Array.from({ length: 200 }, async (_, i) => {
      await wait(random(300))
      const reply = await req.request([`${i} `, new Uint8Array(random(5_000))])
      settled++
      return parseInt(text(reply.subarray(0, 8)), 10)
    })

    const mostAreSettled = (): boolean => settled >= 160
    while (!mostAreSettled()) {
      await wait(5 + random(30))
      proxy.cut()
    }

    expect(await Promise.all(replies)).toEqual(Array.from({ length: 200 }, (_, i) => i))
    expect(proxy.connections()).toBeGreaterThan(5)
    expect(req.outstanding).toBe(0)
  })

  it("gets an answer or ECONNRESET when it may not", async () => {
    const { proxy } = await makeEcho()
    const req = scope.add(new Req({ reconnectMinMillis: 1, reconnectMaxMillis: 5, resendMillis: 0 }))
    req.dial(proxy.address)
    const random = makeRandom(2)
    const outcomes: Array<string> = []

    while (outcomes.filter((outcome) => outcome === "ECONNRESET").length < 20) {
      await pipesOf(req, 1)
      proxy.fault("stall")
      const lost = Array.from(
        { length: 3 },
        () => req.request("lost").then(text, (error: NngError) => error.code).then((outcome) => outcomes.push(outcome))
      )
      proxy.cut()
      await Promise.all(lost)
      proxy.fault("none")
      outcomes.push(text(await req.request(`${random(1_000)}`)))
    }

    expect(new Set(outcomes.filter((outcome) => Number.isNaN(Number(outcome))))).toEqual(new Set(["ECONNRESET"]))
    expect(req.outstanding).toBe(0)
  })
})

describe("REQ behind a slow or silent connection", () => {
  it("gives up in time while it is stalled, and gets its answers afterwards", async () => {
    const { proxy } = await makeEcho()
    const req = scope.add(new Req())
    req.dial(proxy.address)
    await pipesOf(req, 1)

    proxy.fault("stall")
    const patient = req.request("patient")
    await expect(req.request("hasty", { timeoutMillis: 50 })).rejects.toMatchObject({ code: "ETIMEDOUT" })
    proxy.fault("none")

    expect(text(await patient)).toBe("patient")
    expect(text(await req.request("again"))).toBe("again")
    expect(proxy.connections()).toBe(1)
  })

  it("is served in order when every byte comes alone", async () => {
    const { proxy } = await makeEcho()
    const req = scope.add(new Req())
    proxy.fault("dribble")
    req.dial(proxy.address)

    const replies = await Promise.all(Array.from({ length: 50 }, (_, i) => req.request(`request ${i}`)))

    expect(replies.map(text)).toEqual(Array.from({ length: 50 }, (_, i) => `request ${i}`))
  })

  it("asks another peer when one is half open", async () => {
    const [silent, sound] = [await makeEcho(), await makeEcho()]
    const req = scope.add(new Req({ resendMillis: 50 }))
    req.dial(silent.proxy.address)
    req.dial(sound.proxy.address)
    await pipesOf(req, 2)

    silent.proxy.fault("swallow")
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => req.request(`${i}`)))

    expect(replies.map(text)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`))
    expect(req.pipes).toBe(2)
  })

  it("does not mind in which order connections get through", async () => {
    const { proxy } = await makeEcho()
    proxy.reorder(3)
    const reqs = Array.from({ length: 4 }, () => scope.add(new Req()))
    for (const [i, req] of reqs.entries()) {
      req.dial(proxy.address)
      await until("its connection", () => proxy.connections() === i + 1)
    }

    const replies = await Promise.all(reqs.map((req, i) => req.request(`${i}`)))

    expect(replies.map(text)).toEqual(["0", "1", "2", "3"])
  })
})

describe("PUSH", () => {
  it("loses nothing that it still holds when its connection is cut", async () => {
    const pull = scope.add(new Pull())
    const received: Array<number> = []
    pull.onMessage((body) => void received.push(parseInt(text(body.subarray(0, 8)), 10)))
    const proxy = await makeProxy(portOf((await pull.listen("tcp://127.0.0.1:0")).address))
    scope.addServer(proxy)
    const push = scope.add(new Push({ sendBufferMessages: 100, reconnectMinMillis: 1, reconnectMaxMillis: 5 }))
    push.dial(proxy.address)
    await pipesOf(push, 1)
    let next = 0

    for (let round = 0; round < 20; round++) {
      proxy.refuse(true)
      await pipesOf(push, 0)
      const from = next
      for (let i = 0; i < 50; i++) expect(push.trySend(`${next++} `)).toBe(true)
      const late = Array.from({ length: 60 }, () => push.send([`${next++} `, new Uint8Array(5_000)]))
      expect(push.buffered).toBe(100)
      proxy.refuse(false)
      await Promise.all(late)
      await until("the last", () => received.at(-1) === next - 1)
      expect(received.slice(-110)).toEqual(Array.from({ length: 110 }, (_, i) => from + i))
    }
  })

  it("waits for a stalled peer and loses nothing, in order", async () => {
    const pull = scope.add(new Pull())
    const received: Array<number> = []
    pull.onMessage((body) => void received.push(parseInt(text(body.subarray(0, 8)), 10)))
    const proxy = await makeProxy(portOf((await pull.listen("tcp://127.0.0.1:0")).address))
    scope.addServer(proxy)
    const push = scope.add(new Push({ sendHighWaterBytes: 100_000 }))
    push.dial(proxy.address)
    await pipesOf(push, 1)

    proxy.fault("stall")
    let next = 0
    // Until it is refused for a while: then all buffers on the way are full.
    for (let refusals = 0; refusals < 20;) {
      if (push.trySend([`${next} `, new Uint8Array(20_000)])) {
        next++
        refusals = 0
      } else {
        refusals++
        await wait(2)
      }
    }
    expect(received).toEqual([])
    proxy.fault("none")
    await push.send(`${next} `)
    await until("the last", () => received.at(-1) === next)

    expect(received).toEqual(Array.from({ length: next + 1 }, (_, i) => i))
  })
})

describe("a thousand reconnects", () => {
  const collect = (): void => {
    setFlagsFromString("--expose-gc")
    runInNewContext("gc")()
  }

  const resources = (): Record<string, number> => {
    const counts: Record<string, number> = {}
    for (const name of process.getActiveResourcesInfo()) {
      if (/TCP|Pipe|Timeout|Immediate/.test(name)) counts[name] = (counts[name] ?? 0) + 1
    }
    return counts
  }

  it("leave no sockets, timers or memory behind", async () => {
    const { proxy, rep } = await makeEcho()
    const req = scope.add(new Req({ reconnectMinMillis: 1, reconnectMaxMillis: 1 }))
    req.dial(proxy.address)
    let closes = 0
    req.onPipeClose(() => closes++)
    const cycle = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        expect(text(await req.request(`${i}`))).toBe(`${i}`)
        const before = closes
        proxy.cut()
        await until("the end of the pipe", () => closes > before)
      }
      expect(text(await req.request("settled"))).toBe("settled")
      await pipesOf(rep, 1)
    }

    await cycle(100)
    collect()
    const [before, heap, buffers] = [resources(), process.memoryUsage().heapUsed, process.memoryUsage().arrayBuffers]
    await cycle(1_000)
    await until("the same resources", () => JSON.stringify(resources()) === JSON.stringify(before))

    // One collection does not return everything: buffers are freed on other threads, and later.
    await until("memory to be returned", () => {
      collect()
      const { arrayBuffers, heapUsed } = process.memoryUsage()
      return heapUsed - heap < 4e6 && arrayBuffers - buffers < 4e6
    })
    expect(proxy.connections()).toBeGreaterThan(1_100)
    expect([req.pipes, rep.pipes, req.outstanding]).toEqual([1, 1, 0])
  })
})
