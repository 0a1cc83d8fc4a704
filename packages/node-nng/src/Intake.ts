/**
 * Receiving that never drops: what is not taken stays with its pipe, and a pipe that has too much of it is not read until
 * some is taken, so that its peer must wait. Source: nng src/sp/protocol/pipeline0/pull.c, reqrep0/rep.c.
 */
import { Inbox } from "./Inbox.ts"
import type { BufferLimits } from "./Options.ts"
import type { LivePipe } from "./Pipe.ts"
import { Queue } from "./Queue.ts"

/** What the pipes of a socket have received, in the order it came. */
export class Intake<A> {
  readonly inbox: Inbox<A>
  readonly #limits: BufferLimits
  readonly #bytesOf: (item: A) => number
  /** Of every item kept, where it came from. */
  readonly #origins = new Queue<IntakeLane<A>>()

  constructor(limits: BufferLimits, bytesOf: (item: A) => number) {
    this.#limits = limits
    this.#bytesOf = bytesOf
    this.inbox = new Inbox(bytesOf, (item) => this.#origins.shift()?.taken(bytesOf(item)))
  }

  /** Returns the part of a new pipe. */
  lane(pipe: LivePipe): IntakeLane<A> {
    return new IntakeLane(pipe, this)
  }

  /** Takes an item of a lane; returns false when it is kept. */
  offer(lane: IntakeLane<A>, item: A): boolean {
    const { wanted } = this.inbox
    if (!wanted) this.#origins.push(lane)
    this.inbox.offer(item)
    return wanted
  }

  bytesOf(item: A): number {
    return this.#bytesOf(item)
  }

  get limits(): BufferLimits {
    return this.#limits
  }
}

/** What one pipe has received that nobody has taken yet. */
export class IntakeLane<A> {
  readonly pipe: LivePipe
  readonly #intake: Intake<A>
  #untaken = 0
  #untakenBytes = 0
  #held = false
  #paused = false

  constructor(pipe: LivePipe, intake: Intake<A>) {
    this.pipe = pipe
    this.#intake = intake
  }

  /** True when an item offered now is taken at once. */
  get wanted(): boolean {
    return this.#intake.inbox.wanted
  }

  offer(item: A): void {
    if (this.#intake.offer(this, item)) return
    this.#untaken++
    this.#untakenBytes += this.#intake.bytesOf(item)
    this.#regulate()
  }

  /** An item of this pipe was taken. */
  taken(bytes: number): void {
    this.#untaken--
    this.#untakenBytes -= bytes
    this.#regulate()
  }

  /** Reads on, or not, for a reason of the protocol's own. */
  hold(held: boolean): void {
    if (held === this.#held) return
    this.#held = held
    this.#regulate()
  }

  #regulate(): void {
    const { bytes, messages } = this.#intake.limits
    const pause = this.#held || this.#untaken >= messages || this.#untakenBytes >= bytes
    if (pause === this.#paused || this.pipe.closed) return
    this.#paused = pause
    if (pause) this.pipe.pause()
    else this.pipe.resume()
  }
}
