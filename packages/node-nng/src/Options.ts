/** Options that every socket has, their defaults and their checks. */
import { NngError } from "./Errors.ts"

/** Options common to all sockets. Times are milliseconds; an omitted or undefined option has its default. */
export interface SocketOptions {
  /** Largest message accepted, protocol header included, bytes. Default 1 MiB; 0 = unlimited. Source: NNG_OPT_RECVMAXSZ. */
  readonly receiveMaxBytes?: number | undefined
  /**
   * Time for connecting, and again for TLS, the upgrade to WebSocket and the greeting together. Default 10_000. nng has
   * 10 s built in.
   */
  readonly handshakeTimeoutMillis?: number | undefined
  /** First wait before dialing again. Default 100. Source: NNG_OPT_RECONNMINT. */
  readonly reconnectMinMillis?: number | undefined
  /** Longest wait before dialing again; the wait doubles up to it. Default 5_000. Source: NNG_OPT_RECONNMAXT. */
  readonly reconnectMaxMillis?: number | undefined
  /** Idle time before TCP keepalive probes. Default 10_000; 0 = no keepalive. Source: NNG_OPT_TCP_KEEPALIVE. */
  readonly keepAliveMillis?: number | undefined
  /** Open pipes per listener; more are refused with EBUSY. Default 10_000. */
  readonly maxPipes?: number | undefined
  /**
   * Connections per listener from one address of the network, greeted or not; more are refused with EBUSY. Default 0 = as
   * many as `maxPipes`. Not for ipc and inproc, which do not name their peers.
   */
  readonly maxPipesPerAddress?: number | undefined
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

/** A bound in messages and in bytes. One message above the bytes is let into what is empty, so that none is stuck. */
export interface BufferLimits {
  readonly messages: number
  readonly bytes: number
}

/** The option of sockets that send into a buffer. */
export interface SendBufferOptions {
  /** Messages kept for want of a ready pipe. Default and scope as the socket says. Source: NNG_OPT_SENDBUF. */
  readonly sendBufferMessages?: number | undefined
  /** Bytes kept for want of a ready pipe, besides `sendBufferMessages`. Default 16 MiB, 64 MiB for REQ. Not in nng. */
  readonly sendBufferBytes?: number | undefined
}

/** The option of sockets that receive into a buffer. */
export interface ReceiveBufferOptions {
  /** Messages kept until they are received. Default and scope as the socket says. Source: NNG_OPT_RECVBUF. */
  readonly receiveBufferMessages?: number | undefined
  /** Bytes kept until they are received, besides `receiveBufferMessages`. Default as the socket says. Not in nng. */
  readonly receiveBufferBytes?: number | undefined
}

/** Reads the limits of a send buffer. */
export const sendBufferOf = (
  options: SendBufferOptions,
  messages: number,
  bytes = 16 * 1024 * 1024
): BufferLimits => ({
  messages: wholeNumber("sendBufferMessages", options.sendBufferMessages, { fallback: messages }),
  bytes: wholeNumber("sendBufferBytes", options.sendBufferBytes, { fallback: bytes })
})

/** Reads the limits of a receive buffer. */
export const receiveBufferOf = (options: ReceiveBufferOptions, fallback: BufferLimits): BufferLimits => ({
  messages: wholeNumber("receiveBufferMessages", options.receiveBufferMessages, {
    fallback: fallback.messages,
    least: 1
  }),
  bytes: wholeNumber("receiveBufferBytes", options.receiveBufferBytes, { fallback: fallback.bytes, least: 1 })
})

/** What a pipe may have unreceived before it is not read further. */
export const heldPerPipe: BufferLimits = { messages: 128, bytes: 256 * 1024 }

/**
 * What is kept by sockets that drop the rest. A chunk of 64 KiB holds thousands of small messages, which come at once: the
 * 16 to 128 of nng would lose most of them before anybody could ask.
 */
export const keptBeforeDropping: BufferLimits = { messages: 8_192, bytes: 16 * 1024 * 1024 }

/** The option of sockets whose messages pass devices. */
export interface MaxTtlOptions {
  /**
   * Most hops (words of a backtrace, its id included, or the count of PAIR1) of a message received; more drop it.
   * Default 8, 1 to 15. Source: NNG_OPT_MAXTTL.
   */
  readonly maxTtl?: number | undefined
}

/** Reads the hop limit. */
export const maxTtlOf = (options: MaxTtlOptions): number =>
  wholeNumber("maxTtl", options.maxTtl, { fallback: 8, least: 1, most: 15 })

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
    maxPipesPerAddress: wholeNumber("maxPipesPerAddress", options.maxPipesPerAddress, { fallback: 0 }),
    maxHandshakes: wholeNumber("maxHandshakes", options.maxHandshakes, { fallback: 1_000, least: 1 }),
    sendHighWaterBytes: wholeNumber("sendHighWaterBytes", options.sendHighWaterBytes, {
      fallback: 1024 * 1024,
      least: 1
    }),
    lingerMillis: wholeNumber("lingerMillis", options.lingerMillis, { fallback: 1_000, most: timerMax })
  }
}
