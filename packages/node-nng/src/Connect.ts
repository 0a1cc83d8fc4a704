/** Connecting a TCP socket to a name: its addresses are tried in turn, each some time after the one before. */
import * as Dns from "node:dns"
import * as Net from "node:net"
import type { TcpAddress, WsAddress } from "./Address.ts"
import type { NngError } from "./Errors.ts"
import { fromSystem } from "./Errors.ts"
import { Reader } from "./Reader.ts"

/** How long one address is tried alone. RFC 8305 calls it the connection attempt delay. */
const staggerMillis = 250

interface Options {
  readonly port: number
  readonly keepAliveMillis: number
  /** True to read by a `Reader`, false to emit what is read. */
  readonly reading: boolean
}

type Done<E> = (error: E | null, socket: Net.Socket | null, reader: Reader | null) => void

/**
 * Connects to the first of `hosts` that accepts and calls `done` once, later. The next is tried when one fails or has not
 * answered for a while; a slow one may still win. The error is the last one. Returns a function that gives up.
 */
export const connectFirst = (
  hosts: ReadonlyArray<string>,
  { keepAliveMillis, port, reading }: Options,
  done: Done<Error>
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
    const reader = reading ? new Reader() : null
    const socket = Net.connect({
      host,
      port,
      ...(reader === null ? {} : { onread: reader.onread }),
      noDelay: true,
      keepAlive: keepAliveMillis > 0,
      keepAliveInitialDelay: keepAliveMillis
    })
    trying.add(socket)
    const onError = (error: Error): void => {
      // The others are given up when one wins, and may fail of it.
      if (!trying.delete(socket)) return
      if (next < hosts.length) again()
      else if (trying.size === 0) done(error, null, null)
    }
    socket.on("error", onError)
    socket.once("connect", () => {
      trying.delete(socket)
      socket.off("error", onError)
      stop()
      done(null, socket, reader)
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
  { keepAliveMillis, reading }: Omit<Options, "port">,
  done: Done<NngError>
): () => void => {
  let over = false
  let stop = (): void => {
    over = true
  }
  const finish: Done<Error> = (error, socket, reader) =>
    done(error === null ? null : fromSystem(error, `cannot connect to ${text}`), socket, reader)
  Dns.lookup(host, { all: true, family, order: "verbatim" }, (error, addresses) => {
    if (over) return
    if (error !== null) finish(error, null, null)
    else stop = connectFirst(addresses.map(({ address }) => address), { port, keepAliveMillis, reading }, finish)
  })
  return () => stop()
}
