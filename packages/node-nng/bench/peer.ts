/**
 * One side of a measurement in a process of its own: node-nng, or bare node:net as the limit. What it prints peer.c prints
 * as well: a listener its address first, and whoever measures a line of JSON last.
 */
import { Pull, Push, Rep, Req } from "node-nng"
import { once } from "node:events"
import * as Net from "node:net"

/** Messages carry their number modulo this or, when they are large, less; by it loss and disorder show. */
const ring = 1024

/** The last message is "END" and the count of those before it. */
const endBytes = 11

const print = (value: unknown): void => console.log(typeof value === "string" ? value : JSON.stringify(value))

/** How many different messages of a size there are: no more than stay in a cache, as the C library reuses its memory. */
const ringOf = (size: number): number => Math.max(4, Math.min(ring, Math.floor((4 * 1024 * 1024) / size)))

/** Messages that differ in their number; those that are sent by reference are not written again. */
const makeRing = (size: number): ReadonlyArray<Buffer> =>
  Array.from({ length: ringOf(size) }, (_, i) => {
    const body = Buffer.alloc(size, 0x61)
    body.writeUInt16LE(i)
    return body
  })

/** Counts what arrives from when it is warm. */
const makeMeter = (warmMillis: number) => {
  let count = 0
  let firstAt = 0
  let warmAt = 0
  let warmCount = 0
  return {
    get count() {
      return count
    },
    add(messages: number) {
      count += messages
      if (warmAt > 0) return
      const at = performance.now()
      if (firstAt === 0) firstAt = at
      if (at - firstAt < warmMillis) return
      warmAt = at
      warmCount = count
    },
    rate: () => ((count - warmCount) * 1_000) / (performance.now() - warmAt)
  }
}

const quantile = (sorted: Float64Array, share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0

/** Counts round trips within a window, and keeps their times in microseconds. */
const makeTrips = (seconds: number, warmSeconds: number) => {
  const beginsAt = performance.now() + warmSeconds * 1_000
  const endsAt = beginsAt + seconds * 1_000
  const times: Array<number> = []
  let count = 0
  return {
    /** Returns false when the time is up. */
    add(from: number, now: number, trips = 1): boolean {
      if (now > endsAt) return false
      if (now < beginsAt) return true
      count += trips
      if (times.length < 1_000_000) times.push((now - from) * 1_000)
      return true
    },
    report() {
      const sorted = Float64Array.from(times).sort()
      print({ rate: count / seconds, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) })
    }
  }
}

const pull = (address: string, warm: number): void => {
  const socket = new Pull({ receiveMaxBytes: 0 })
  const meter = makeMeter(warm * 1_000)
  let messages = 0
  let batch = 0
  let modulus = 0
  socket.onMessage((body) => {
    if (body.length === endBytes) {
      meter.add(batch)
      const { buffer, byteOffset } = body
      const sent = Number(new DataView(buffer, byteOffset).getBigUint64(3, true))
      if (sent !== messages) throw new Error(`${sent - messages} messages lost`)
      print({ rate: meter.rate() })
      process.exit()
    }
    if (modulus === 0) modulus = ringOf(body.length)
    if (((body[0] ?? 0) | ((body[1] ?? 0) << 8)) !== messages % modulus) {
      throw new Error(`message ${messages} out of order`)
    }
    messages++
    if (++batch < 64 && body.length <= 4_096) return
    meter.add(batch)
    batch = 0
  })
  socket.dial(address)
}

const push = async (size: number, seconds: number): Promise<void> => {
  const socket = new Push()
  const bodies = makeRing(size)
  print((await socket.listen("tcp://127.0.0.1:0")).address)
  // Resolves when there is a pipe.
  let sent = 0
  const body = (): Buffer => bodies[sent++ % bodies.length] ?? Buffer.alloc(0)
  await socket.send(body())
  const endsAt = performance.now() + seconds * 1_000
  while (performance.now() < endsAt) {
    let went = true
    for (let i = 0; i < 256 && went; i++) {
      went = socket.trySend(body())
      if (!went) sent--
    }
    // With a full pipe this waits; else it lets the event loop turn.
    await (went ? new Promise(setImmediate) : socket.send(body()))
  }
  const end = Buffer.from("END\0\0\0\0\0\0\0\0")
  end.writeBigUInt64LE(BigInt(sent), 3)
  await socket.send(end)
}

const rep = async (): Promise<void> => {
  const socket = new Rep({ receiveMaxBytes: 0 })
  socket.onRequest((request) => request.reply(request.body))
  print((await socket.listen("tcp://127.0.0.1:0")).address)
}

const req = async (
  address: string,
  size: number,
  outstanding: number,
  seconds: number,
  warm: number
): Promise<void> => {
  const socket = new Req({ receiveMaxBytes: 0 })
  const bodies = makeRing(size)
  socket.dial(address)
  await socket.request(bodies[0] ?? "")
  const trips = makeTrips(seconds, warm)
  let sent = 0
  const ask = (): void => {
    const number = sent++ % bodies.length
    const from = performance.now()
    socket.requestWith(bodies[number] ?? "", {}, (error, reply) => {
      if (error !== null || reply === null) throw error
      if (reply.length !== size || ((reply[0] ?? 0) | ((reply[1] ?? 0) << 8)) !== number) throw new Error("wrong reply")
      if (trips.add(from, performance.now())) ask()
      else {
        trips.report()
        process.exit()
      }
    })
  }
  for (let i = 0; i < outstanding; i++) ask()
}

const listenBare = async (onSocket: (socket: Net.Socket) => unknown): Promise<void> => {
  const server = Net.createServer({ noDelay: true }, onSocket).listen(0, "127.0.0.1")
  await once(server, "listening")
  print(`tcp://127.0.0.1:${(server.address() as Net.AddressInfo).port}`)
}

const connectBare = async (address: string): Promise<Net.Socket> => {
  const socket = Net.connect({ host: "127.0.0.1", port: Number(new URL(address).port), noDelay: true })
  await once(socket, "connect")
  return socket
}

/** Takes bytes and counts them as messages of that size. */
const sink = async (address: string, warm: number, size: number): Promise<void> => {
  const socket = await connectBare(address)
  const meter = makeMeter(warm * 1_000)
  socket.on("data", (chunk) => meter.add(chunk.length / size))
  socket.on("end", () => {
    print({ rate: meter.rate() })
    process.exit()
  })
}

/** Sends frames of that size as fast as it can: many small ones in a write of 64 KiB, larger ones each in its own. */
const source = (size: number, seconds: number): Promise<void> =>
  listenBare(async (socket) => {
    const chunk = Buffer.alloc(size * Math.max(1, Math.floor(65_536 / size)), 0x61)
    const endsAt = performance.now() + seconds * 1_000
    while (performance.now() < endsAt) {
      let went = true
      for (let i = 0; i < 16 && went; i++) went = socket.write(chunk)
      await (went ? new Promise(setImmediate) : once(socket, "drain"))
    }
    socket.end()
  })

const echo = (): Promise<void> =>
  listenBare((socket) => {
    socket.on("data", (chunk) => socket.write(chunk))
    socket.on("error", () => socket.destroy())
  })

/** What comes back is sent again, so that `outstanding` messages are always on their way. */
const ping = async (
  address: string,
  size: number,
  outstanding: number,
  seconds: number,
  warm: number
): Promise<void> => {
  const socket = await connectBare(address)
  const trips = makeTrips(seconds, warm)
  let bytes = 0
  let from = performance.now()
  socket.on("data", (chunk) => {
    bytes += chunk.length
    const whole = Math.floor(bytes / size)
    bytes -= whole * size
    const now = performance.now()
    if (!trips.add(from, now, whole)) {
      trips.report()
      process.exit()
    }
    if (whole > 0) from = now
    socket.write(chunk)
  })
  socket.write(Buffer.alloc(size * outstanding, 0x61))
}

const [mode, ...args] = process.argv.slice(2)
const [first = "", ...rest] = args
const numbers = rest.map(Number)
const [a = 0, b = 0, c = 0, d = 0] = numbers
if (mode === "pull") pull(first, a)
else if (mode === "push") await push(Number(first), a)
else if (mode === "rep") await rep()
else if (mode === "req") await req(first, a, b, c, d)
else if (mode === "sink") await sink(first, a, b)
else if (mode === "source") await source(Number(first), a)
else if (mode === "echo") await echo()
else if (mode === "ping") await ping(first, a, b, c, d)
else throw new Error(`unknown mode ${mode}`)
