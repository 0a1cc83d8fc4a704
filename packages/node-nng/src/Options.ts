/** Options that every socket has, their defaults and their checks. */
import { NngError } from "./Errors.ts"

/** Options common to all sockets. Times are milliseconds; an omitted or undefined option has its default. */
export interface SocketOptions {
  /** Largest message accepted, protocol header included, bytes. Default 1 MiB; 0 = unlimited. Source: NNG_OPT_RECVMAXSZ. */
  readonly receiveMaxBytes?: number | undefined
  /** Time for connecting and for the greeting of the peer, each. Default 10_000. nng has 10 s built in. */
  readonly handshakeTimeoutMillis?: number | undefined
  /** First wait before dialing again. Default 100. Source: NNG_OPT_RECONNMINT. */
  readonly reconnectMinMillis?: number | undefined
  /** Longest wait before dialing again; the wait doubles up to it. Default 5_000. Source: NNG_OPT_RECONNMAXT. */
  readonly reconnectMaxMillis?: number | undefined
  /** Idle time before TCP keepalive probes. Default 10_000; 0 = no keepalive. Source: NNG_OPT_TCP_KEEPALIVE. */
  readonly keepAliveMillis?: number | undefined
  /** Open pipes per listener; more are refused with EBUSY. Default 10_000. */
  readonly maxPipes?: number | undefined
  /** Connections per listener that have not greeted yet; more are refused with EBUSY. Default 1_000. */
  readonly maxHandshakes?: number | undefined
  /** Unsent bytes of a pipe from which on it counts as not ready. Default 1 MiB. */
  readonly sendHighWaterBytes?: number | undefined
  /** Time that close leaves for sending what was accepted before it. Default 1_000; 0 = drop it. */
  readonly lingerMillis?: number | undefined
}

/** `SocketOptions` with every default filled in. */
export type Settings = { readonly [K in keyof SocketOptions]-?: number }

/** setTimeout turns a longer wait into one of a millisecond. */
const timerMax = 0x7fff_ffff

/** The default of a numeric option and the range it must be in. */
interface Range {
  readonly fallback: number
  readonly least?: number
  readonly most?: number
}

/** Returns `value` or, when it is undefined, the default; fails with EINVAL when it is no whole number in range. */
export const wholeNumber = (name: string, value: number | undefined, range: Range): number => {
  const { fallback, least = 0, most = Number.MAX_SAFE_INTEGER } = range
  const chosen = value ?? fallback
  if (Number.isSafeInteger(chosen) && chosen >= least && chosen <= most) return chosen
  throw new NngError("EINVAL", `option ${name} is ${chosen}: it must be a whole number from ${least} to ${most}`)
}

/** Fills in defaults; fails with EINVAL on a value that is no whole number or too small. */
export const settingsOf = (options: SocketOptions): Settings => {
  const reconnectMinMillis = wholeNumber("reconnectMinMillis", options.reconnectMinMillis, {
    fallback: 100,
    least: 1,
    most: timerMax
  })
  return {
    receiveMaxBytes: wholeNumber("receiveMaxBytes", options.receiveMaxBytes, { fallback: 1024 * 1024 }),
    handshakeTimeoutMillis: wholeNumber("handshakeTimeoutMillis", options.handshakeTimeoutMillis, {
      fallback: 10_000,
      least: 1,
      most: timerMax
    }),
    reconnectMinMillis,
    reconnectMaxMillis: Math.max(
      reconnectMinMillis,
      wholeNumber("reconnectMaxMillis", options.reconnectMaxMillis, { fallback: 5_000, least: 1, most: timerMax })
    ),
    keepAliveMillis: wholeNumber("keepAliveMillis", options.keepAliveMillis, { fallback: 10_000, most: timerMax }),
    maxPipes: wholeNumber("maxPipes", options.maxPipes, { fallback: 10_000, least: 1 }),
    maxHandshakes: wholeNumber("maxHandshakes", options.maxHandshakes, { fallback: 1_000, least: 1 }),
    sendHighWaterBytes: wholeNumber("sendHighWaterBytes", options.sendHighWaterBytes, {
      fallback: 1024 * 1024,
      least: 1
    }),
    lingerMillis: wholeNumber("lingerMillis", options.lingerMillis, { fallback: 1_000, most: timerMax })
  }
}
