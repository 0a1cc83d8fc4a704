/** Connecting a TCP socket to a name: its addresses are tried in turn, each some time after the one before. */
import * as Dns from "node:dns"
import * as Net from "node:net"
import type { TcpAddress, WsAddress } from "./Address.ts"
import type { NngError } from "./Errors.ts"
import { fromSystem } from "./Errors.ts"

/** How long one address is tried alone. RFC 8305 calls it the connection attempt delay. */
const staggerMillis = 250

interface Options {
  readonly port: number
  readonly keepAliveMillis: number
}

/**
 * Connects to the first of `hosts` that accepts and calls `done` once, later. The next is tried when one fails or has not
 * answered for a while; a slow one may still win. The error is the last one. Returns a function that gives up.
 */
export const connectFirst = (
  hosts: ReadonlyArray<string>,
  { keepAliveMillis, port }: Options,
  done: (error: Error | null, socket: Net.Socket | null) => void
): () => void => {
  const trying = new Set<Net.Socket>()
  let next = 0
  let timer: NodeJS.Timeout | null = null

  const stop = (): void => {
    if (timer !== null) clearTimeout(timer)
    next = hosts.length
    for (const socket of trying) socket.destroy()
    trying.clear()
  }

  const attempt = (): void => {
    const host = hosts[next++]
    if (host === undefined) return
    const socket = Net.connect({
      host,
      port,
      noDelay: true,
      keepAlive: keepAliveMillis > 0,
      keepAliveInitialDelay: keepAliveMillis
    })
    trying.add(socket)
    const onError = (error: Error): void => {
      // The others are given up when one wins, and may fail of it.
      if (!trying.delete(socket)) return
      if (next < hosts.length) again()
      else if (trying.size === 0) done(error, null)
    }
    socket.on("error", onError)
    socket.once("connect", () => {
      trying.delete(socket)
      socket.off("error", onError)
      stop()
      done(null, socket)
    })
    if (next < hosts.length) timer = setTimeout(again, staggerMillis)
  }

  const again = (): void => {
    if (timer !== null) clearTimeout(timer)
    attempt()
  }

  attempt()
  return stop
}

/** Looks up the host and connects; the rest is as for `connectFirst`. */
export const connectTcp = (
  { family, host, port, text }: TcpAddress | WsAddress,
  keepAliveMillis: number,
  done: (error: NngError | null, socket: Net.Socket | null) => void
): () => void => {
  let over = false
  let stop = (): void => {
    over = true
  }
  const finish = (error: Error | null, socket: Net.Socket | null): void =>
    done(error === null ? null : fromSystem(error, `cannot connect to ${text}`), socket)
  Dns.lookup(host, { all: true, family, order: "verbatim" }, (error, addresses) => {
    if (over) return
    if (error !== null) finish(error, null)
    else stop = connectFirst(addresses.map(({ address }) => address), { port, keepAliveMillis }, finish)
  })
  return () => stop()
}
