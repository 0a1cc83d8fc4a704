/**
 * inproc://: sockets of one process, without a wire. Every message is copied once, so that sender and receiver own their
 * bytes; delivery happens in a later turn of the event loop. The receive maximum does not apply, as in nng.
 */
import type { Address } from "./Address.ts"
import { NngError } from "./Errors.ts"
import type { FrameHeader } from "./FrameWriter.ts"
import { wordHeader } from "./FrameWriter.ts"
import type { Payload } from "./Payload.ts"
import { joinPayload } from "./Payload.ts"
import { Queue } from "./Queue.ts"
import type { AcceptEvents, Link, LinkEvents, LinkSettings, Transport } from "./Transport.ts"

type Inproc = Extract<Address, { readonly transport: "inproc" }>

interface Listening {
  readonly settings: LinkSettings
  readonly events: AcceptEvents
}

/** Process-wide, for that is what the scheme names. */
const listening = new Map<string, Listening>()

/** Dials that wait for somebody to listen, by name. */
const waiting = new Map<string, Set<(listener: Listening) => void>>()

class InprocLink implements Link {
  readonly remoteAddress: string
  readonly localAddress: string
  full = false
  readonly #highWaterBytes: number
  #peer: InprocLink | null = null
  #events: LinkEvents | null = null
  /** Protocol id the peer announced, until it is delivered. */
  #greeting: number | null = null
  /** Messages from the peer, not yet delivered; in its view the unsent ones. */
  readonly #inbox = new Queue<Uint8Array>()
  #inboxBytes = 0
  #paused = false
  #scheduled = false
  /** We closed: nothing is delivered any more. */
  #ended = false
  /** The peer closed: the link goes once the inbox is delivered. */
  #peerEnded = false
  #gone = false
  #linger: NodeJS.Timeout | null = null

  constructor(address: string, highWaterBytes: number) {
    this.remoteAddress = address
    this.localAddress = address
    this.#highWaterBytes = highWaterBytes
  }

  static join(left: InprocLink, right: InprocLink): void {
    left.#peer = right
    right.#peer = left
  }

  open(self: number, events: LinkEvents): void {
    this.#events = events
    if (this.#peer !== null) {
      this.#peer.#greeting = self
      this.#peer.#schedule()
    }
    this.#schedule()
  }

  send(header: FrameHeader, payload: Payload): number {
    const peer = this.#peer
    if (peer === null || peer.#ended || this.#ended) return 0
    const bytes = joinPayload(wordHeader(header), payload)
    peer.#inbox.push(bytes)
    peer.#inboxBytes += bytes.length
    if (peer.#inboxBytes >= this.#highWaterBytes) this.full = true
    peer.#schedule()
    return bytes.length
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#schedule()
  }

  end(lingerMillis: number): void {
    if (this.#ended) return
    this.#ended = true
    this.#inbox.clear()
    const peer = this.#peer
    if (peer === null || peer.#gone || peer.#ended || lingerMillis === 0) {
      this.destroy()
      return
    }
    this.#linger = setTimeout(() => this.destroy(), lingerMillis)
    peer.#peerEnded = true
    peer.#schedule()
  }

  destroy(): void {
    if (this.#gone) return
    this.#gone = true
    this.#ended = true
    this.#inbox.clear()
    if (this.#linger !== null) clearTimeout(this.#linger)
    const peer = this.#peer
    // Later, as a stream does: the caller is in the middle of closing.
    setImmediate(() => {
      this.#events?.gone(null)
      peer?.destroy()
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    // Not the tick queue: two sockets that answer each other would keep it from ever running dry.
    setImmediate(this.#deliver)
  }

  readonly #deliver = (): void => {
    this.#scheduled = false
    const events = this.#events
    if (events === null) return
    if (this.#greeting !== null && !this.#ended) {
      const greeting = this.#greeting
      this.#greeting = null
      events.greeted(greeting)
    }
    // Only what is there now: what the handlers set off waits for its own turn.
    for (let count = this.#inbox.size; count > 0 && !this.#paused && !this.#ended; count--) {
      const bytes = this.#inbox.shift()
      if (bytes === undefined) break
      this.#inboxBytes -= bytes.length
      events.frame(bytes, 0, bytes.length)
    }
    if (this.#ended) return
    if (this.#inbox.size > 0 && !this.#paused) this.#schedule()
    const peer = this.#peer
    if (peer !== null && peer.full && !peer.#ended && this.#inboxBytes < peer.#highWaterBytes) {
      peer.full = false
      peer.#events?.drained()
    }
    if (this.#peerEnded && this.#inbox.size === 0) this.destroy()
  }
}

const connectTo = (listener: Listening, address: string, settings: LinkSettings): InprocLink => {
  const ours = new InprocLink(address, settings.sendHighWaterBytes)
  const theirs = new InprocLink(address, listener.settings.sendHighWaterBytes)
  InprocLink.join(ours, theirs)
  listener.events.accept(theirs)
  return ours
}

/** The inproc transport. A dial waits without limit for its name to be listened on. */
export const inprocTransport: Transport<Inproc> = {
  async listen(address, { settings }, events) {
    if (listening.has(address.name)) {
      throw new NngError("EADDRINUSE", `cannot listen on ${address.text}: a socket of this process already does`)
    }
    const listener: Listening = { settings, events }
    listening.set(address.name, listener)
    setImmediate(() => {
      const dials = waiting.get(address.name)
      if (dials === undefined || listening.get(address.name) !== listener) return
      waiting.delete(address.name)
      for (const dial of dials) dial(listener)
    })
    return {
      address: address.text,
      close(done) {
        if (listening.get(address.name) === listener) listening.delete(address.name)
        setImmediate(done)
      }
    }
  },
  connector: (address, { settings }) => (done) => {
    let over = false
    const dial = (listener: Listening): void => {
      if (over) return
      over = true
      done(null, connectTo(listener, address.text, settings))
    }
    const start = setImmediate(() => {
      const listener = listening.get(address.name)
      if (listener !== undefined) {
        dial(listener)
        return
      }
      const dials = waiting.get(address.name) ?? new Set()
      waiting.set(address.name, dials.add(dial))
    })
    return () => {
      over = true
      clearImmediate(start)
      const dials = waiting.get(address.name)
      if (dials?.delete(dial) === true && dials.size === 0) waiting.delete(address.name)
    }
  }
}
