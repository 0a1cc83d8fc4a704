/** Peers made of bare sockets, for what no proper peer would send. */
import { mkdtempSync, rmSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Req } from "../src/index.ts"
import { until } from "./until.ts"

export const greeting = (protocol: number): Uint8Array => Uint8Array.of(0, 0x53, 0x50, 0, 0, protocol, 0, 0)

export const frame = (...bytes: ReadonlyArray<number>): Uint8Array =>
  Uint8Array.of(0, 0, 0, 0, 0, 0, 0, bytes.length, ...bytes)

export interface RawPeer {
  readonly socket: Net.Socket
  readonly received: () => Buffer
  readonly closed: () => boolean
}

const peer = (socket: Net.Socket): RawPeer => {
  const chunks: Array<Buffer> = []
  let closed = false
  socket.on("data", (chunk) => void chunks.push(chunk))
  socket.on("close", () => {
    closed = true
  })
  socket.on("error", () => {})
  return { socket, received: () => Buffer.concat(chunks), closed: () => closed }
}

const endpoint = (address: string): Net.NetConnectOpts => {
  if (address.startsWith("ipc://")) return { path: address.slice(6) }
  const url = new URL(address.replace("tcp:", "http:"))
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) }
}

/** Connects and sends `first`. */
export const connectRaw = async (address: string, first?: Uint8Array): Promise<RawPeer> => {
  const socket = Net.connect(endpoint(address))
  const raw = peer(socket)
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve)
    socket.once("error", reject)
  })
  if (first !== undefined) socket.write(first)
  return raw
}

export interface RawServer {
  readonly address: string
  readonly port: number
  readonly peers: ReadonlyArray<RawPeer>
  readonly close: () => void
}

/** Listens on a loopback port; `onPeer` sees each connection. */
export const listenRaw = async (onPeer: (raw: RawPeer) => void = () => {}, port = 0): Promise<RawServer> => {
  const peers: Array<RawPeer> = []
  const server = Net.createServer((socket) => {
    const raw = peer(socket)
    peers.push(raw)
    onPeer(raw)
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", resolve)
  })
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("no port")
  return {
    address: `tcp://127.0.0.1:${address.port}`,
    port: address.port,
    peers,
    close() {
      server.close()
      for (const { socket } of peers) socket.destroy()
    }
  }
}

/** A loopback port that was free a moment ago. */
export const freePort = async (): Promise<number> => {
  const server = await listenRaw()
  server.close()
  return server.port
}

/** A directory of its own for socket files, removed by the returned function. */
export const tempDirectory = (): readonly [path: string, remove: () => void] => {
  const path = mkdtempSync(join(tmpdir(), "nn-"))
  return [path, () => rmSync(path, { recursive: true, force: true })]
}

export const pipesOf = (socket: Pick<Req, "pipes">, count: number): Promise<void> =>
  until(`${count} pipes`, () => socket.pipes === count)
