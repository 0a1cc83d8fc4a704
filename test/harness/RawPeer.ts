/** Peers made of bare sockets, for what no proper peer would send. */
import * as Effect from "effect/Effect"
import * as Net from "node:net"

/** Ids of the protocols of NNG as they stand in a greeting. */
export const protocols = { pub: 0x20, sub: 0x21, req: 0x30, rep: 0x31, pair: 0x10 } as const

/** What a connection begins with. */
export const greeting = (protocol: number): Uint8Array => Uint8Array.of(0, 0x53, 0x50, 0, 0, protocol, 0, 0)

/** A frame's length alone. */
export const frameHead = (length: bigint): Uint8Array => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(length)
  return bytes
}

/** A frame with a request of this number. */
export const requestFrame = (id: number, message: string): Uint8Array => {
  const body = Buffer.from(message)
  const word = Buffer.alloc(4)
  word.writeUInt32BE((0x8000_0000 + id) >>> 0)
  return Buffer.concat([frameHead(BigInt(body.length + 4)), word, body])
}

export interface RawPeer {
  readonly socket: Net.Socket
  readonly isClosed: () => boolean
  /** Bytes that came so far. */
  readonly received: () => number
}

/** Connects without a word. Does not read until `socket.resume()`, unless `reads`. Destroyed with the scope. */
export const connectRaw = (address: string, { reads = true }: { readonly reads?: boolean } = {}) =>
  Effect.acquireRelease(
    Effect.callback<RawPeer, Error>((resume) => {
      const { hostname, port } = new URL(address.replace("tcp:", "http:"))
      const socket = Net.connect({ host: hostname, port: Number(port) })
      let closed = false
      let received = 0
      if (reads) socket.on("data", (chunk) => (received += chunk.length))
      else socket.pause()
      socket.on("close", () => (closed = true))
      socket.once("error", (error) => resume(Effect.fail(error)))
      socket.on("error", () => {})
      socket.once("connect", () => resume(Effect.succeed({ socket, isClosed: () => closed, received: () => received })))
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )
