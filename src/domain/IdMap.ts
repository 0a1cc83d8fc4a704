/**
 * Items by their ids in the order in which they were added, for items that come and go all the time.
 *
 * A `Map` would do, but for the garbage collector. Each time a `Map` makes room it leaves a table behind that refers to
 * all of its items and to the table that follows. Once one of these is in the old generation, everything that was ever
 * added survives every minor collection until a major one: of what a client or a control plane allocated under load that
 * was a fifth, and 20 ms a collection. Here nothing that is left behind refers to anything.
 *
 * @since 0.1.0
 */
import { filled } from "./Filled.ts"
import { hashOf } from "./IdHash.ts"

/** Room for items in the beginning: there are some for each worker. */
const leastItems = 8

/** Room for more than this is given back when the last item has gone. */
const keptItems = 4_096

/** Slots of the index for each item that there is room for. */
const slotsPerItem = 2
const wordsPerSlot = 2

const empty = 0
const deleted = -1

const room = <A>(items: number): Array<A | undefined> => filled<A | undefined>(items, undefined)

/**
 * Items by their ids, which do not change while they are in here. Numbers as ids are whole numbers.
 *
 * @category models
 * @since 0.1.0
 */
export class IdMap<A extends { readonly id: string | number }> {
  /** By place, in the order of adding; what was deleted leaves a gap until there is no more room. */
  #items = room<A>(leastItems)
  #hashes = new Int32Array(leastItems)
  /** Slots by hash, two words each: a place, counted from 1, and the hash, so that others need not be looked at. */
  #index = new Int32Array(leastItems * slotsPerItem * wordsPerSlot)
  /** Before it there are only gaps. */
  #start = 0
  /** The place of the next item. */
  #end = 0
  #size = 0

  /** Number of items. */
  get size(): number {
    return this.#size
  }

  /** The item with this id. */
  get(id: A["id"]): A | undefined {
    const slot = this.#find(id, hashOf(id))
    return slot < 0 ? undefined : this.#items[(this.#index[slot] as number) - 1]
  }

  /** Whether there is an item with this id. */
  has(id: A["id"]): boolean {
    return this.#find(id, hashOf(id)) >= 0
  }

  /** Adds an item, in the place of the one with the same id if there is one: returns that one. */
  set(item: A): A | undefined {
    const hash = hashOf(item.id)
    const known = this.#find(item.id, hash)
    if (known >= 0) {
      const at = (this.#index[known] as number) - 1
      const before = this.#items[at]
      this.#items[at] = item
      return before
    }
    if (this.#end === this.#items.length) this.#makeRoom()
    const place = this.#end++
    this.#items[place] = item
    this.#hashes[place] = hash
    this.#point(hash, place)
    this.#size++
    return undefined
  }

  /** Deletes the item with this id, and returns it. */
  take(id: A["id"]): A | undefined {
    const slot = this.#find(id, hashOf(id))
    return slot < 0 ? undefined : this.#takeFrom(slot)
  }

  /** Deletes the oldest item, and returns it. */
  shift(): A | undefined {
    if (this.first() === undefined) return undefined
    const place = this.#start + 1
    const mask = this.#index.length - 1
    // The hash that is kept: the id, and all of the item, may be in no cache any more.
    let slot = (wordsPerSlot * (this.#hashes[this.#start] as number)) & mask
    while (this.#index[slot] !== place) slot = (slot + wordsPerSlot) & mask
    return this.#takeFrom(slot)
  }

  /** Deletes the item with this id. Returns whether there was one. */
  delete(id: A["id"]): boolean {
    return this.take(id) !== undefined
  }

  /** The items now, the oldest first: later changes do not show. */
  values(): ReadonlyArray<A> {
    const items: Array<A> = []
    for (let place = this.#start; place < this.#end; place++) {
      const item = this.#items[place]
      if (item !== undefined) items.push(item)
    }
    return items
  }

  [Symbol.iterator](): IterableIterator<A> {
    return this.values()[Symbol.iterator]()
  }

  /** The oldest item. */
  first(): A | undefined {
    while (this.#start < this.#end) {
      const item = this.#items[this.#start]
      if (item !== undefined) return item
      this.#start++
    }
    return undefined
  }

  #takeFrom(slot: number): A | undefined {
    const place = (this.#index[slot] as number) - 1
    const item = this.#items[place]
    this.#items[place] = undefined
    this.#index[slot] = deleted
    this.#size--
    if (this.#size === 0 && this.#items.length > keptItems) this.#resize(leastItems)
    return item
  }

  #find(id: A["id"], hash: number): number {
    const index = this.#index
    const mask = index.length - 1
    for (let slot = (wordsPerSlot * hash) & mask;; slot = (slot + wordsPerSlot) & mask) {
      const place = index[slot] as number
      if (place === empty) return -1
      if (place !== deleted && index[slot + 1] === hash && this.#items[place - 1]?.id === id) return slot
    }
  }

  /** Has a free slot of the index point to a place. */
  #point(hash: number, place: number): void {
    const index = this.#index
    const mask = index.length - 1
    let slot = (wordsPerSlot * hash) & mask
    while ((index[slot] as number) > empty) slot = (slot + wordsPerSlot) & mask
    index[slot] = place + 1
    index[slot + 1] = hash
  }

  /** Closes the gaps, or doubles the room when there are few. */
  #makeRoom(): void {
    if (this.#size * 2 > this.#items.length) this.#resize(this.#items.length * 2)
    else this.#rebuild()
  }

  #resize(places: number): void {
    const items = this.#items
    const hashes = this.#hashes
    this.#items = room(places)
    this.#hashes = new Int32Array(places)
    this.#index = new Int32Array(places * slotsPerItem * wordsPerSlot)
    this.#fill(items, hashes)
  }

  #rebuild(): void {
    this.#index.fill(empty)
    this.#fill(this.#items, this.#hashes)
  }

  /** Takes over items, without their gaps. They may be the same arrays: places only become smaller. */
  #fill(items: ReadonlyArray<A | undefined>, hashes: Int32Array): void {
    const end = this.#end
    let place = 0
    for (let from = this.#start; from < end; from++) {
      const item = items[from]
      if (item === undefined) continue
      const hash = hashes[from] as number
      this.#items[place] = item
      this.#hashes[place] = hash
      this.#point(hash, place++)
    }
    this.#start = 0
    this.#end = place
    if (items === this.#items) this.#items.fill(undefined, place, end)
  }
}
