/**
 * Connections between the others and the control plane. Within one messages keep their order; when it is cut all that is
 * on its way is lost. Requests are answered at most once; who gets no answer sends again.
 */
import * as Envelope from "../../src/layers/Envelope.ts"
import type { Incoming, Payload } from "../../src/services/Transport.ts"

export interface Header {
  readonly error?: { readonly _tag: string; readonly reason?: string }
  readonly [key: string]: unknown
}

/** A request that waits for its answer. */
export interface Request {
  readonly message: Uint8Array
  readonly op: string
  readonly onReply: (header: Header, body: string) => void
}

export interface Link {
  readonly who: string
  readonly isWorker: boolean
  readonly isLocal: boolean
  peer: number
  isOpen: boolean
  /** On the way to the control plane. */
  up: Array<Request>
  /** On the way back. */
  down: Array<{ readonly request: Request; readonly payload: Payload }>
  /** Sent and not answered, oldest first. */
  readonly pending: Set<Request>
}

/** A token that says whose it is. */
export const token = (kind: "a" | "c" | "e", number: number): string =>
  `${kind}${number.toString(16).padStart(31, "0")}`

export const encode = (header: object, bodies: ReadonlyArray<string> = []): Uint8Array =>
  Buffer.from(Envelope.encode(header, bodies).join(""))

export const decode = (payload: Payload): { readonly header: Header; readonly body: string } => {
  let text = ""
  for (const part of payload) text += typeof part === "string" ? part : Buffer.from(part).toString()
  const end = text.indexOf("\n")
  return end === -1
    ? { header: JSON.parse(text) as Header, body: "" }
    : { header: JSON.parse(text.slice(0, end)) as Header, body: text.slice(end + 1) }
}

/** Cuts a body into as many parts as there are sizes. */
export const splitBody = (body: string, sizes: ReadonlyArray<number>): ReadonlyArray<string> => {
  let at = 0
  return sizes.map((size) => body.slice(at, at += size))
}

export const makeLink = (who: string, isWorker: boolean, isLocal: boolean, peer: number): Link => ({
  who,
  isWorker,
  isLocal,
  peer,
  isOpen: true,
  up: [],
  down: [],
  pending: new Set()
})

export const send = (link: Link, request: Request) => {
  link.pending.add(request)
  if (link.isOpen) link.up.push(request)
}

/** Most answers on the way in one connection: a client that is away does not read for ever. */
const maxDown = 200

/** The request at the head arrives. */
export const incoming = (link: Link, request: Request, onAnswer: (payload: Payload) => void): Incoming => {
  const { peer } = link
  return {
    body: request.message,
    peer,
    reply(payload) {
      onAnswer(payload)
      if (link.isOpen && link.peer === peer && link.down.length < maxDown) link.down.push({ request, payload })
    }
  }
}

/** The answer at the head arrives; one to a request that was answered or given up is dropped. */
export const receive = (link: Link) => {
  const next = link.down.shift()
  if (next === undefined || !link.pending.delete(next.request)) return
  const { body, header } = decode(next.payload)
  if (header.error?._tag === "BadRequest" && header.error.reason?.startsWith("op ") === true) {
    throw new Error(`the simulation does not speak the protocol: ${header.error.reason}`)
  }
  next.request.onReply(header, body)
}

export const cut = (link: Link) => {
  link.isOpen = false
  link.up = []
  link.down = []
}
