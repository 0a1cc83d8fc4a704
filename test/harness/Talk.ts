/** A REQ socket that says anything, header by header, and sees every reply as it is. */
import * as Effect from "effect/Effect"
import { Req } from "node-nng"

export interface Reply {
  readonly header: Readonly<Record<string, unknown>>
  readonly body: string
}

export interface Talk {
  /** Sends a message and waits for its reply. */
  readonly say: (header: object, body?: string) => Effect.Effect<Reply, Error>
  /** Sends a message now; the reply may come later. */
  readonly begin: (header: object, body?: string) => Effect.Effect<Effect.Effect<Reply, Error>>
  /** Closes the connection, without another word. */
  readonly close: Effect.Effect<void>
}

const parse = (bytes: Uint8Array): Reply => {
  const text = Buffer.from(bytes).toString("utf8")
  const at = text.indexOf("\n")
  return { header: JSON.parse(text.slice(0, at)) as Reply["header"], body: text.slice(at + 1) }
}

/** Opens a connection to a control plane's address; every request on it is a context of its own. */
export const talk = (address: string) =>
  Effect.acquireRelease(
    Effect.sync((): Talk => {
      const req = new Req({ receiveMaxBytes: 0 })
      req.dial(address)
      const request = (header: object, body = "") => {
        const reply = req.request(`${JSON.stringify({ v: 1, ...header })}\n${body}`, { timeoutMillis: 15_000 })
        // Whether anybody waits for it is the caller's business.
        reply.catch(() => {})
        return Effect.tryPromise({ try: () => reply.then(parse), catch: (cause) => cause as Error })
      }
      return {
        say: (header, body) => Effect.suspend(() => request(header, body)),
        begin: (header, body) => Effect.sync(() => request(header, body)),
        close: Effect.promise(() => req.close())
      }
    }),
    ({ close }) => close
  )
