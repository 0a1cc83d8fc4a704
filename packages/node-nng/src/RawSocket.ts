/**
 * Raw mode: messages with the headers that cooked sockets keep to themselves, and none of the state. For devices, and for
 * programs that do a protocol's work themselves. Source: the x*.c files of nng src/sp/protocol.
 */
import { copied, keepable, lengthOf, view } from "./Bodies.ts"
import { NngError } from "./Errors.ts"
import { backtraceEnd, hopsOf } from "./Headers.ts"
import { Intake } from "./Intake.ts"
import type { MaxTtlOptions, ReceiveBufferOptions, SendBufferOptions, SocketOptions } from "./Options.ts"
import { heldPerPipe, maxTtlOf, receiveBufferOf, sendBufferOf } from "./Options.ts"
import { Broadcast } from "./Outbox.ts"
import { pairBusy } from "./Pair.ts"
import type { Payload } from "./Payload.ts"
import type { LivePipe, Pipe, PipeHandler } from "./Pipe.ts"
import { ReceivingSocket } from "./ReceivingSocket.ts"
import { SendQueue } from "./SendQueue.ts"
import { closedError } from "./Wait.ts"
import type { WaitOptions } from "./Wait.ts"
import type { Protocol } from "./Wire.ts"
import { protocols, word } from "./Wire.ts"

/** Protocols by name. */
export type ProtocolName = keyof typeof protocols

/**
 * Options of a raw socket. The receive buffer is per pipe, default 128 messages and 256 KiB, past which the pipe is not
 * read. `sendBufferMessages` is 0 for the socket where sending waits (req, push, pair), else 128 for each pipe.
 */
export interface RawOptions extends SocketOptions, SendBufferOptions, ReceiveBufferOptions, MaxTtlOptions {}

/**
 * A message to send. Its header, words of 32 bits: for rep and respondent the id of the pipe, then the backtrace; for req
 * and surveyor at least the id; for pair1 the hop count so far; for bus the id of a pipe to leave out, or nothing; none for
 * the others.
 */
export interface RawPayload {
  readonly header: Uint8Array
  readonly body: Payload
}

/** A message received; its header is what sending it on, by the other side of a device, needs. */
export interface RawMessage extends RawPayload {
  readonly body: Uint8Array
  readonly pipe: Pipe
}

/** How a protocol sends: in turn and waiting, to the pipe the header names, to all, to all but one, or not at all. */
const sends = {
  pair0: "turn",
  pair1: "turn",
  pub: "all",
  sub: "none",
  req: "turn",
  rep: "route",
  push: "turn",
  pull: "none",
  surveyor: "all",
  respondent: "route",
  bus: "others"
} as const satisfies Readonly<Record<ProtocolName, string>>

const noHeader = new Uint8Array(0)

const wordBytes = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)

/** Splits a received message; null when it was dropped, or its pipe closed because of it. */
const parsers: Readonly<
  Record<ProtocolName, (pipe: LivePipe, bytes: Uint8Array, start: number, end: number, maxTtl: number) => number | null>
> = (() => {
  const plain = (_pipe: LivePipe, _bytes: Uint8Array, start: number) => start
  const backtrace = (pipe: LivePipe, bytes: Uint8Array, start: number, end: number, maxTtl: number) => {
    const at = backtraceEnd(pipe, bytes, { start, end, maxTtl })
    return at < 0 ? null : at
  }
  const answer = (pipe: LivePipe, _bytes: Uint8Array, start: number, end: number) => {
    if (end - start >= 4) return start + 4
    pipe.fail(new NngError("EPROTO", `${pipe.remoteAddress} sent an answer without an id`))
    return null
  }
  const hops = (pipe: LivePipe, bytes: Uint8Array, start: number, end: number, maxTtl: number) =>
    hopsOf(pipe, bytes, { start, end, maxTtl }) < 0 ? null : start + 4
  const discard = (pipe: LivePipe) => {
    pipe.drop("unexpected")
    return null
  }
  const refuse = (pipe: LivePipe) => {
    pipe.fail(new NngError("EPROTO", `${pipe.remoteAddress} is a SUB and sent data`))
    return null
  }
  return {
    pair0: plain,
    pair1: hops,
    pub: refuse,
    sub: plain,
    req: answer,
    rep: backtrace,
    push: discard,
    pull: plain,
    surveyor: answer,
    respondent: backtrace,
    bus: plain
  }
})()

/** Protocols whose received header begins with the id of the pipe. */
const namesPipe: ReadonlySet<ProtocolName> = new Set(["rep", "respondent", "bus"])

/**
 * A raw socket of any protocol: it neither makes nor matches ids, filters no topics and sends nothing again. Sending waits
 * where the pattern does not drop.
 */
export class RawSocket extends ReceivingSocket<RawMessage> {
  readonly protocol: Protocol
  readonly #name: ProtocolName
  readonly #maxTtl: number
  readonly #intake: Intake<RawMessage>
  readonly #queue: SendQueue
  readonly #peers: Broadcast

  constructor(name: ProtocolName, options: RawOptions = {}) {
    const protocol = protocols[name]
    const intake = new Intake<RawMessage>(
      receiveBufferOf(options, heldPerPipe),
      ({ body, header }) => lengthOf(body) + lengthOf(header)
    )
    super(protocol, options, intake.inbox)
    this.protocol = protocol
    this.#name = name
    this.#maxTtl = maxTtlOf(options)
    this.#intake = intake
    this.#queue = new SendQueue(sendBufferOf(options, 0))
    this.#peers = new Broadcast({
      limits: sendBufferOf(options, 128),
      drops: name === "pub" ? "oldest" : "newest"
    })
  }

  /** False for pull and sub. */
  get canSend(): boolean {
    return sends[this.#name] !== "none"
  }

  /** False for push and pub. */
  get canReceive(): boolean {
    return this.#name !== "push" && this.#name !== "pub"
  }

  /**
   * Resolves when a pipe or a buffer took the message, or when it was dropped where the pattern drops. Rejects with EPROTO
   * for a header that does not fit the protocol, ENOTSUP where it does not send, else as `Push.send`.
   */
  async send(message: RawPayload, options?: WaitOptions): Promise<void> {
    if (sends[this.#name] === "turn") await this.#queue.send(this.#header(message.header), message.body, options)
    else this.trySend(message)
  }

  /** As `send`, without waiting: returns false, and throws instead of rejecting. Source: NNG_FLAG_NONBLOCK. */
  trySend(message: RawPayload): boolean {
    const { body } = message
    const header = this.#header(message.header)
    if (this.closed) throw closedError()
    switch (sends[this.#name]) {
      case "turn":
        return this.#queue.trySend(header, body)
      case "all":
        this.#peers.send(header, body)
        return true
      case "others":
        this.#peers.send(null, body, message.header.length < 4 ? 0 : word(message.header, 0))
        return true
      case "route": {
        const outbox = this.#peers.get(word(message.header, 0))
        if (outbox === undefined) this.drop("noPeer")
        else outbox.send(header, body)
        return true
      }
      case "none":
        throw new NngError("ENOTSUP", `${this.protocol.name} only receives`)
    }
  }

  override receive(options?: WaitOptions): Promise<RawMessage> {
    if (this.canReceive) return super.receive(options)
    return Promise.reject(new NngError("ENOTSUP", `${this.protocol.name} only sends`))
  }

  /** Calls `handler` with every message from now on, synchronously as it arrives; those that wait come first. */
  onMessage(handler: (message: RawMessage) => void): void {
    this.handle(handler)
  }

  protected override attach(pipe: LivePipe): PipeHandler | NngError {
    const isPair = this.#name === "pair0" || this.#name === "pair1"
    if (isPair && this.openPipes.size > 0) return pairBusy(pipe)
    const lane = this.#intake.lane(pipe)
    const prefix = namesPipe.has(this.#name) ? wordBytes(pipe.id) : noHeader
    const outbox = this.#peers.add(pipe)
    const parse = parsers[this.#name]
    if (sends[this.#name] === "turn") this.#queue.ready(lane)
    return {
      frame: (bytes, start, end) => {
        const at = parse(pipe, bytes, start, end, this.#maxTtl)
        if (at === null) return
        const own = at === start ? noHeader : copied(bytes, start, at)
        const header = prefix.length === 0 ? own : own.length === 0 ? prefix : Buffer.concat([prefix, own])
        lane.offer({ header, body: lane.wanted ? view(bytes, at, end) : keepable(bytes, at, end), pipe })
      },
      drained: () => {
        outbox.drained()
        if (sends[this.#name] === "turn") this.#queue.ready(lane)
      },
      closed: () => {
        this.#peers.remove(pipe)
        this.#queue.remove(lane)
      }
    }
  }

  protected override shut(error: NngError): void {
    this.#queue.shut(error, this.openPipes)
    this.#peers.flush()
    this.#intake.inbox.shut(error)
  }

  /** Returns what of a header goes on the wire; throws EPROTO when it does not fit. */
  #header(header: Uint8Array): Uint8Array | number | null {
    const { name } = this.protocol
    switch (this.#name) {
      case "req":
      case "surveyor":
        if (header.length >= 4 && header.length % 4 === 0) return header
        throw new NngError("EPROTO", `a raw ${name} sends a header of words that ends with an id`)
      case "rep":
      case "respondent":
        // What a device received for it has the rest of the backtrace in its body.
        if (header.length >= 4 && header.length % 4 === 0) return header.length === 4 ? null : header.subarray(4)
        throw new NngError("EPROTO", `a raw ${name} sends a header of words: the pipe's id, then the backtrace`)
      case "pair1":
        if (header.length === 4 && word(header, 0) >= 0 && word(header, 0) < 0xff) return word(header, 0) + 1
        throw new NngError("EPROTO", "a raw PAIR1 sends a header of one word, a hop count below 255")
      default:
        return null
    }
  }
}
