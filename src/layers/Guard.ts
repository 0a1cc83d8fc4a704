/**
 * The control plane's side of the handshake: which connection has proved which role. Until it has, nothing of what it
 * sends reaches the control plane.
 *
 * Owns what is known of each connection. What a role may do is decided where requests are understood.
 *
 * @since 0.1.0
 */
import { Buffer } from "node:buffer"
import { Unauthorized } from "../domain/Errors.ts"
import type { Role } from "../domain/Role.ts"
import { roles } from "../domain/Role.ts"
import type { Incoming, Opened } from "../services/Transport.ts"
import * as Envelope from "./Envelope.ts"
import type { PlaneKey } from "./Secret.ts"
import { isRole, makeNonce, provePlane } from "./Secret.ts"

/** Messages of the handshake are smaller. */
const maxAuthBytes = 1_024

/** Requests that a connection may send without having proved anything, before it is closed. */
const maxStrikes = 100

const nonceForm = /^[0-9a-f]{32}$/u

interface Stranger {
  readonly challenge: { readonly role: Role; readonly ours: string; readonly theirs: string } | undefined
  readonly strikes: number
}

/**
 * Stands before the requests of one address.
 *
 * @category models
 * @since 0.1.0
 */
export interface Guard {
  readonly onOpen: (opened: Opened) => void
  readonly onRequest: (request: Incoming) => void
  readonly onClose: (peer: number) => void
}

const authOf = (body: Uint8Array): Readonly<Record<string, unknown>> | undefined => {
  if (body.length > maxAuthBytes) return undefined
  try {
    const parsed: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString())
    if (typeof parsed !== "object" || parsed === null) return undefined
    return "op" in parsed && parsed.op === "auth" ? { ...parsed } : undefined
  } catch {
    return undefined
  }
}

const renewal = Buffer.from(`{"v":1,"op":"auth"`)

/** Whether a connection that has proved its role begins the handshake anew: its peer thinks it is another one. */
const isRenewal = (body: Uint8Array): boolean => {
  if (body.length > maxAuthBytes || body.length < renewal.length) return false
  for (let i = 7; i < renewal.length; i++) if (body[i] !== renewal[i]) return false
  return true
}

/**
 * Creates the guard of one address. `pass` gets the requests of connections that have proved their role, with it;
 * `refused` is told why a connection is closed, one that has not proved its role within the time among them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeGuard = ({ key, millis, onClose, pass, refused, v }: {
  readonly key: PlaneKey
  /** How long a connection may take for it. */
  readonly millis: number
  readonly v: number
  readonly pass: (request: Incoming) => void
  readonly refused: (remote: string, reason: string) => void
  readonly onClose: (peer: number) => void
}): Guard => {
  const known = new Map<number, Role>()
  const strangers = new Map<number, Stranger>()
  /** Connections that have still to prove something. */
  const deadlines = new Map<number, NodeJS.Timeout>()

  const settle = (peer: number) => {
    clearTimeout(deadlines.get(peer))
    deadlines.delete(peer)
  }

  const refuse = (request: Incoming, reason: string) => {
    strangers.delete(request.peer)
    request.reply(Envelope.encodeError(new Unauthorized({ reason })))
    refused(request.remote ?? `peer ${request.peer}`, reason)
    request.close?.()
  }

  const answer = (request: Incoming, auth: Readonly<Record<string, unknown>>) => {
    const { peer } = request
    const stranger = strangers.get(peer)
    if ("proof" in auth) {
      const challenge = stranger?.challenge
      if (challenge === undefined) return strike(request, "a proof comes after a challenge: begin anew")
      const { ours, role, theirs } = challenge
      if (typeof auth["proof"] !== "string" || !isRole(key, role, ours, theirs, auth["proof"])) {
        return refuse(request, "the secrets differ, or this key was made of another one")
      }
      strangers.delete(peer)
      known.set(peer, role)
      settle(peer)
      return request.reply(Envelope.encode({ v }))
    }
    const role = roles.find((role) => role === auth["role"])
    const theirs = auth["nonce"]
    if (role === undefined || typeof theirs !== "string" || !nonceForm.test(theirs)) {
      return refuse(request, `a handshake names a role (${roles.join(", ")}) and a nonce of 32 hexadecimal digits`)
    }
    const ours = makeNonce()
    strangers.set(peer, { challenge: { role, ours, theirs }, strikes: stranger?.strikes ?? 0 })
    request.reply(Envelope.encode({ v, nonce: ours, proof: provePlane(key, role, theirs, ours) }))
  }

  const strike = (request: Incoming, reason: string) => {
    const { challenge, strikes } = strangers.get(request.peer) ?? { challenge: undefined, strikes: 0 }
    if (strikes >= maxStrikes) return refuse(request, reason)
    strangers.set(request.peer, { challenge, strikes: strikes + 1 })
    request.reply(Envelope.encodeError(new Unauthorized({ reason })))
  }

  return {
    onOpen({ close, peer, remote }) {
      const timer = setTimeout(() => {
        deadlines.delete(peer)
        strangers.delete(peer)
        refused(remote, `it has not proved within ${millis / 1_000} s that it has the secret`)
        close()
      }, millis)
      // It keeps nobody from ending.
      timer.unref()
      deadlines.set(peer, timer)
    },
    onRequest(request) {
      const role = known.get(request.peer)
      if (role !== undefined && !isRenewal(request.body)) {
        const { body, peer, reply } = request
        return pass({ body, peer, reply, role })
      }
      const auth = authOf(request.body)
      if (auth !== undefined) return answer(request, auth)
      strike(request, "this control plane has a secret: give this process the same, in FASTWORKER_SECRET")
    },
    onClose(peer) {
      known.delete(peer)
      strangers.delete(peer)
      settle(peer)
      onClose(peer)
    }
  }
}
