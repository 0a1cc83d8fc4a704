/**
 * Round trips a second over loopback tcp between two processes, 64 bytes each way, with 1 and 256 outstanding, beside a
 * raw node:net echo of the same bytes. Run: `node packages/node-nng/bench/RoundTrip.ts [seconds]` after building.
 *
 * The numbers compare the two within one run; they vary by a factor of two or three between machines and minutes.
 */
import { Rep, Req } from "node-nng"
import { fork } from "node:child_process"
import { once } from "node:events"
import * as Net from "node:net"
import { fileURLToPath } from "node:url"

const bytes = 64
const payload = new Uint8Array(bytes).fill(0x61)

const serve = async (): Promise<void> => {
  const rep = new Rep()
  rep.onRequest((request) => request.reply(request.body))
  const listener = await rep.listen("tcp://127.0.0.1:0")
  const echo = Net.createServer({ noDelay: true }, (socket) => {
    socket.on("data", (chunk) => socket.write(chunk))
    socket.on("error", () => socket.destroy())
  }).listen(0, "127.0.0.1")
  await once(echo, "listening")
  process.send?.({ rep: listener.address, echo: (echo.address() as Net.AddressInfo).port })
  process.once("disconnect", () => process.exit())
}

/** Keeps `outstanding` requests going for `seconds`; resolves with round trips a second. */
const measureReq = (address: string, outstanding: number, seconds: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const req = new Req()
    let count = 0
    let over = false
    const next = (error: Error | null): void => {
      if (over) return
      if (error !== null) {
        reject(error)
        return
      }
      count++
      req.requestWith(payload, {}, next)
    }
    req.onPipe(() => {
      const from = performance.now()
      for (let i = 0; i < outstanding; i++) req.requestWith(payload, {}, next)
      setTimeout(() => {
        over = true
        const rate = (count * 1_000) / (performance.now() - from)
        void req.close().then(() => resolve(rate))
      }, seconds * 1_000)
    })
    req.dial(address)
  })

/** The same with bare bytes: what comes back is sent again, so that `outstanding` messages are always on their way. */
const measureEcho = (port: number, outstanding: number, seconds: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = Net.connect({ port, host: "127.0.0.1", noDelay: true })
    let received = 0
    socket.on("error", reject)
    socket.on("data", (chunk) => {
      received += chunk.length
      socket.write(chunk)
    })
    socket.once("connect", () => {
      const from = performance.now()
      socket.write(new Uint8Array(bytes * outstanding))
      setTimeout(() => {
        const rate = (received / bytes) * 1_000 / (performance.now() - from)
        socket.destroy()
        resolve(rate)
      }, seconds * 1_000)
    })
  })

const measure = async (): Promise<void> => {
  const seconds = Number(process.argv[2] ?? 3)
  const server = fork(fileURLToPath(import.meta.url), ["serve"])
  const [addresses] = await once(server, "message") as [{ readonly rep: string; readonly echo: number }]
  for (const outstanding of [1, 256]) {
    // The first run warms both processes up.
    await measureReq(addresses.rep, outstanding, 1)
    const req = await measureReq(addresses.rep, outstanding, seconds)
    const echo = await measureEcho(addresses.echo, outstanding, seconds)
    const row = [`outstanding ${outstanding}`, `node-nng ${Math.round(req)}/s`, `node:net echo ${Math.round(echo)}/s`]
    console.log(row.join("\t"))
  }
  server.disconnect()
}

await (process.argv[2] === "serve" ? serve() : measure())
