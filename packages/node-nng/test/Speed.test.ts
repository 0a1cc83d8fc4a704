/**
 * A guard against losing the speed that the benchmark shows: rates are compared with bare node:net in the same process and
 * moment, with a wide margin, and never taken by themselves.
 */
import * as Net from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { Pull, Push, Rep, Req } from "../src/index.ts"
import { pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"

const scope = makeScope()
afterEach(scope.close)

/** Bytes a second that bare sockets carry one way, in writes of `size` bytes or 64 KiB. */
const measureBare = async (size: number, bytes: number): Promise<number> => {
  const chunk = Buffer.alloc(Math.max(size, 65_536))
  let received = 0
  const server = Net.createServer((socket) => {
    const write = (): void => {
      let went = true
      while (went && !socket.destroyed) went = socket.write(chunk)
    }
    socket.on("drain", write)
    socket.on("error", () => {})
    write()
  })
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  const from = performance.now()
  await new Promise<void>((resolve) => {
    const socket = Net.connect((server.address() as Net.AddressInfo).port, "127.0.0.1")
    socket.on("data", (data) => {
      received += data.length
      if (received < bytes) return
      socket.destroy()
      resolve()
    })
  })
  server.close()
  return received / (performance.now() - from)
}

/** Bytes a second from a PUSH to a PULL. */
const measurePush = async (size: number, bytes: number): Promise<number> => {
  const [push, pull] = [scope.add(new Push()), scope.add(new Pull())]
  let received = 0
  const done = new Promise<void>((resolve) => {
    pull.onMessage((body) => {
      received += body.length
      if (received >= bytes) resolve()
    })
  })
  pull.dial((await push.listen("tcp://127.0.0.1:0")).address)
  await pipesOf(push, 1)
  const body = new Uint8Array(size)
  const from = performance.now()
  for (let sent = 0; sent < bytes; sent += size) {
    if (!push.trySend(body)) await push.send(body)
  }
  await done
  const rate = received / (performance.now() - from)
  await Promise.all([push.close(), pull.close()])
  return rate
}

/** Round trips of 64 bytes a millisecond, `outstanding` of them on their way. */
const measureEcho = async (trips: number, outstanding: number): Promise<number> => {
  const server = Net.createServer({ noDelay: true }, (socket) => socket.pipe(socket))
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  const from = performance.now()
  await new Promise<void>((resolve) => {
    const socket = Net.connect({ port: (server.address() as Net.AddressInfo).port, noDelay: true, host: "127.0.0.1" })
    let bytes = 0
    socket.on("data", (data) => {
      bytes += data.length
      if (bytes < trips * 64) socket.write(data)
      else {
        socket.destroy()
        resolve()
      }
    })
    socket.write("x".repeat(64 * outstanding))
  })
  server.close()
  return trips / (performance.now() - from)
}

const measureRequests = async (trips: number, outstanding: number): Promise<number> => {
  const [req, rep] = [scope.add(new Req()), scope.add(new Rep())]
  rep.onRequest((request) => request.reply(request.body))
  req.dial((await rep.listen("tcp://127.0.0.1:0")).address)
  await pipesOf(req, 1)
  const from = performance.now()
  await new Promise<void>((resolve) => {
    let count = -outstanding
    const ask = (): void => {
      if (count++ < trips) req.requestWith("x".repeat(64), {}, ask)
      else resolve()
    }
    for (let i = 0; i < outstanding; i++) ask()
  })
  const rate = trips / (performance.now() - from)
  await Promise.all([req.close(), rep.close()])
  return rate
}

/** The best ratio of a few: what slows one of a pair down by chance only makes others worse. */
const bestRatio = async (ours: () => Promise<number>, bare: () => Promise<number>): Promise<number> => {
  await ours()
  let best = 0
  for (let i = 0; i < 3; i++) best = Math.max(best, await ours() / await bare())
  return best
}

describe("the share of bare node:net that is left", () => {
  // About a quarter of what a quiet machine shows.
  it.each([
    [64, 5e6, 0.1],
    [4_096, 25e6, 0.2],
    [65_536, 50e6, 0.3],
    [1_048_576, 50e6, 0.3]
  ])("one way, messages of %i bytes", async (size, bytes, least) => {
    expect(await bestRatio(() => measurePush(size, bytes), () => measureBare(size, bytes))).toBeGreaterThan(least)
  })

  it.each([
    [1, 2_000, 0.3],
    [256, 100_000, 0.04]
  ])("requests, %i at a time", async (outstanding, trips, least) => {
    const ratio = await bestRatio(() => measureRequests(trips, outstanding), () => measureEcho(trips, outstanding))
    expect(ratio).toBeGreaterThan(least)
  })
})
