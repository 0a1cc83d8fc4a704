/** Frames of bare bytes: length and number of a request, then its body. What gathers in one turn is one write. */
import type { Socket } from "node:net"

const headBytes = 8

/** Reads frames, and returns a function that writes them. */
export const makeFrames = (socket: Socket, onFrame: (id: number, body: Buffer) => void) => {
  socket.setNoDelay(true)
  const parts: Array<Buffer> = []
  let buffered = 0
  let needed = headBytes
  socket.on("data", (chunk: Buffer) => {
    parts.push(chunk)
    buffered += chunk.length
    // Joined only when a frame is complete: a large one comes in many parts.
    if (buffered < needed) return
    let rest = parts.length === 1 ? chunk : Buffer.concat(parts)
    parts.length = 0
    needed = headBytes
    while (rest.length >= headBytes) {
      needed = headBytes + rest.readUInt32LE(0)
      if (rest.length < needed) break
      onFrame(rest.readUInt32LE(4), rest.subarray(headBytes, needed))
      rest = rest.subarray(needed)
      needed = headBytes
    }
    buffered = rest.length
    if (buffered > 0) parts.push(rest)
  })
  let isCorked = false
  return (id: number, body: ReadonlyArray<Buffer>) => {
    if (!isCorked) {
      isCorked = true
      socket.cork()
      setImmediate(() => {
        isCorked = false
        socket.uncork()
      })
    }
    const head = Buffer.allocUnsafe(headBytes)
    head.writeUInt32LE(body.reduce((sum, { length }) => sum + length, 0), 0)
    head.writeUInt32LE(id, 4)
    const large = body.some(({ length }) => length > 4_096)
    if (!large) return void socket.write(Buffer.concat([head, ...body]))
    socket.write(head)
    for (const part of body) socket.write(part)
  }
}
