/** The pipes that can take a message now, in turn. */
import type { LivePipe } from "./Pipe.ts"

/** Hands out lanes round robin; a lane is a pipe with what its protocol keeps beside it. */
export class ReadyPipes<A extends { readonly pipe: LivePipe }> {
  readonly #lanes: Array<A> = []
  #turn = 0

  /** Adds a lane; one that is in stays single. */
  add(lane: A): void {
    if (!this.#lanes.includes(lane)) this.#lanes.push(lane)
  }

  remove(lane: A): void {
    const at = this.#lanes.indexOf(lane)
    if (at < 0) return
    this.#lanes.splice(at, 1)
    if (at < this.#turn) this.#turn--
  }

  /** The lane whose turn it is; null when none is ready. */
  next(): A | null {
    const lanes = this.#lanes
    if (lanes.length === 0) return null
    if (this.#turn >= lanes.length) this.#turn = 0
    return lanes[this.#turn++] ?? null
  }
}
