/** Ids of questions, and what waits for an answer by its id. */
import { randomInt } from "node:crypto"

const leastSlots = 64

/** A table larger than this is given back when the last item has gone. */
const keptSlots = 4_096

/**
 * What waits for an answer, by id. Ids are signed words with the top bit set, which keeps them small integers; they start at
 * random and count up, over those in use.
 *
 * **Details** An item lies in the slot of its id modulo a power of two, and ids whose slot is taken are passed over. A `Map`
 * would do, but each time it rehashes the old table goes on referring to the new one: once one of them is in the old
 * generation, all that comes after survives every minor collection. With 256 requests outstanding these took a quarter of
 * the time, up to 90 ms at once, and heaps of 60 MB.
 */
export class Ids<A extends { readonly id: number }> {
  #slots: Array<A | undefined> = Array.from({ length: leastSlots })
  #size = 0
  #next: number

  constructor(start = randomInt(0x8000_0000)) {
    this.#next = start | 0x8000_0000
  }

  get size(): number {
    return this.#size
  }

  /** Returns an id that is not in use, for an item to be set before the next is taken. */
  take(): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let id = this.#next
    // At least half of the slots are free.
    while (slots[id & mask] !== undefined) id = (id + 1) | 0x8000_0000
    this.#next = (id + 1) | 0x8000_0000
    return id
  }

  get(id: number): A | undefined {
    const item = this.#slots[id & (this.#slots.length - 1)]
    return item?.id === id ? item : undefined
  }

  set(item: A): void {
    this.#slots[item.id & (this.#slots.length - 1)] = item
    this.#size++
    if (this.#size * 2 > this.#slots.length) this.#grow()
  }

  delete(id: number): void {
    if (this.get(id) === undefined) return
    this.#slots[id & (this.#slots.length - 1)] = undefined
    this.#size--
    if (this.#size === 0 && this.#slots.length > keptSlots) this.#slots = Array.from({ length: leastSlots })
  }

  /** The items, from the oldest to the newest, copied: callbacks may add and remove while they are gone through. */
  all(): ReadonlyArray<A> {
    const age = (item: A): number => (this.#next - item.id) & 0x7fff_ffff
    return this.#slots.filter((item) => item !== undefined).sort((x, y) => age(y) - age(x))
  }

  /** Doubles the slots: what was apart stays apart. */
  #grow(): void {
    const slots: Array<A | undefined> = Array.from({ length: this.#slots.length * 2 })
    for (const item of this.#slots) if (item !== undefined) slots[item.id & (slots.length - 1)] = item
    this.#slots = slots
  }
}
