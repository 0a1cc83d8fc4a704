/**
 * The peer's side of the handshake that comes before anything else on a connection to a control plane with a secret.
 *
 * `auth` with role and nonce; the control plane answers with its nonce and its signature; `auth` with the proof of the
 * role. A connection that was lost and made again is a stranger to the control plane: it answers `Unauthorized`, and the
 * handshake is made again before the request is sent again.
 *
 * Imports no Effect: the heartbeat's thread uses it too.
 *
 * @since 0.1.0
 */
import { Buffer } from "node:buffer"
import type { Connection, Payload } from "../services/Transport.ts"
import type { PeerKey } from "./Secret.ts"
import { isPlane, makeNonce, proveRole } from "./Secret.ts"

/** How often a request is sent again because its connection was a stranger's, and a handshake begun anew. */
const maxTries = 3

/** Replies longer than this are not looked at: a refusal is short. */
const maxRefusalBytes = 4_096

/** The handshake's own end, which knows more of why it was not answered, is waited for. */
const graceMillis = 20

const refusalStart = Buffer.from(`{"v":1,"error":{"_tag":"Unauthorized"`)

/** Whether a reply says that the connection has not proved anything. Looked at for every reply: by its first bytes. */
const isRefusal = (reply: Uint8Array): boolean => {
  if (reply.length > maxRefusalBytes || reply.length < refusalStart.length) return false
  for (let i = 7; i < refusalStart.length; i++) if (reply[i] !== refusalStart[i]) return false
  return true
}

const headerOf = (reply: Uint8Array): Readonly<Record<string, unknown>> => {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength).toString())
    return typeof parsed === "object" && parsed !== null ? parsed as Record<string, unknown> : {}
  } catch {
    return {}
  }
}

/** A refusal as the control plane would say it. */
const refusal = (v: number, reason: string): Uint8Array =>
  Buffer.from(`${JSON.stringify({ v, error: { _tag: "Unauthorized", reason, message: reason } })}\n`)

interface Pending {
  readonly payload: Payload
  readonly options: Parameters<Connection["request"]>[1]
  readonly done: Parameters<Connection["request"]>[2]
  readonly startedAt: number
  tries: number
  timer: NodeJS.Timeout | undefined
  cancel: () => void
}

/** How a handshake is made that nobody waits for. */
const unasked = { timeoutMillis: 60_000, resendMillis: 2_000 }

const ignore = () => {}

/**
 * Makes of the requests of a connection such that are preceded by the handshake. `name` is the address, for people.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withHandshake = (
  send: Connection["request"],
  key: PeerKey,
  { name, onOpen, v }: {
    readonly name: string
    readonly v: number
    /** Is given what is to be called when a connection was made: it has to prove itself soon, even when nothing is asked. */
    readonly onOpen?: (opened: () => void) => void
  }
): Connection["request"] => {
  const waiting = new Set<Pending>()
  let isOpen = false
  let isShaking = false
  /** The last handshake was not refused. */
  let isWelcome = true
  let attempts = 0

  const transmit = (pending: Pending) => {
    const { done, options, payload, startedAt } = pending
    const timeoutMillis = Math.max(1, options.timeoutMillis - (performance.now() - startedAt))
    pending.cancel = send(payload, { ...options, timeoutMillis }, (failure, reply) => {
      if (failure !== undefined || !isRefusal(reply) || ++pending.tries > maxTries) return done(failure, reply)
      isOpen = false
      hold(pending)
    })
  }

  /** Keeps a request until the handshake is made, at most until its own deadline. */
  const hold = (pending: Pending) => {
    const { done, options, startedAt } = pending
    waiting.add(pending)
    pending.timer = setTimeout(() => {
      waiting.delete(pending)
      done(`${name} did not answer the handshake`, new Uint8Array(0))
    }, Math.max(1, options.timeoutMillis - (performance.now() - startedAt)) + graceMillis)
    pending.cancel = () => {
      clearTimeout(pending.timer)
      waiting.delete(pending)
    }
    shake(options)
  }

  const release = (use: (pending: Pending) => void) => {
    const released = [...waiting]
    waiting.clear()
    for (const pending of released) {
      clearTimeout(pending.timer)
      use(pending)
    }
  }

  const opened = () => {
    isOpen = true
    isWelcome = true
    isShaking = false
    attempts = 0
    release(transmit)
  }

  const failed = (failure: string | undefined, reply: Uint8Array) => {
    isShaking = false
    isWelcome = failure !== undefined
    attempts = 0
    release(({ done }) => done(failure, reply))
  }

  /** Begins anew with what waits: the connection may have been lost between the two steps. */
  const again = (options: Pending["options"], reply: Uint8Array) => {
    isShaking = false
    if (++attempts >= maxTries) return failed(undefined, reply)
    if (waiting.size > 0) shake(options)
    else isOpen = false
  }

  const shake = (options: Pending["options"]) => {
    if (isShaking) return
    isShaking = true
    const nonce = makeNonce()
    const say = (header: object, done: Parameters<Connection["request"]>[2]) =>
      send([`${JSON.stringify({ v, op: "auth", ...header })}\n`], options, done)
    say({ role: key.role, nonce }, (failure, challenge) => {
      if (failure !== undefined) return failed(failure, challenge)
      if (isRefusal(challenge)) return failed(undefined, challenge)
      const { nonce: theirs, proof } = headerOf(challenge)
      if (typeof theirs !== "string" || typeof proof !== "string") {
        return failed(
          undefined,
          refusal(v, `${name} asks for no secret, and this process has one: it is another one's`)
        )
      }
      if (!isPlane(key, nonce, theirs, proof)) {
        say({ proof: "" }, ignore)
        return failed(undefined, refusal(v, `${name} does not have the secret that this process has`))
      }
      say({ proof: proveRole(key.key, key.role, theirs, nonce) }, (failure, reply) => {
        if (failure !== undefined) return failed(failure, reply)
        if (isRefusal(reply)) return again(options, reply)
        opened()
      })
    })
  }

  onOpen?.(() => {
    // Who was refused would be refused again and again.
    if (isShaking || !isWelcome) return
    isOpen = false
    shake(unasked)
  })

  return (payload, options, done) => {
    const pending: Pending = {
      payload,
      options,
      done,
      startedAt: performance.now(),
      tries: 0,
      timer: undefined,
      cancel: ignore
    }
    if (isOpen) transmit(pending)
    else hold(pending)
    return () => pending.cancel()
  }
}
