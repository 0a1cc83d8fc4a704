/** Many deadlines on one timer: a binary heap, so that a request costs no timer of its own. */

/** Something due at a time of `performance.now`. The fields are the heap's while it is in there. */
export interface Due {
  dueAt: number
  /** Place in the heap, -1 outside. */
  heapIndex: number
}

/** setTimeout holds no longer wait. */
const timerMaxMillis = 0x7fff_ffff

/**
 * Calls `onDue` with each item when its time has come, having taken it out. Adding and removing cost O(log n), next to
 * nothing for what is due last. The timer keeps the process alive only while there are items.
 */
export class Deadlines<A extends Due> {
  readonly #onDue: (item: A, now: number) => void
  readonly #heap: Array<A> = []
  #timer: NodeJS.Timeout | null = null
  #firesAt = Infinity

  constructor(onDue: (item: A, now: number) => void) {
    this.#onDue = onDue
  }

  /** Adds an item; one due at Infinity is never due and not kept. */
  add(item: A): void {
    if (item.dueAt === Infinity) return
    if (this.#heap.length === 0) this.#timer?.ref()
    this.#up(item, this.#heap.length)
    if (item.dueAt < this.#firesAt) this.#arm(item.dueAt)
  }

  /** Takes an item out, if it is in. */
  remove(item: A): void {
    const index = item.heapIndex
    if (index < 0) return
    item.heapIndex = -1
    const last = this.#heap.pop()
    if (last !== undefined && last !== item) {
      this.#down(last, index)
      if (last.heapIndex === index) this.#up(last, index)
    }
    // Kept armed: the next item will want it again.
    if (this.#heap.length === 0) this.#timer?.unref()
  }

  /** Forgets all items. */
  clear(): void {
    for (const item of this.#heap) item.heapIndex = -1
    this.#heap.length = 0
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#firesAt = Infinity
  }

  #arm(at: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#firesAt = at
    this.#timer = setTimeout(this.#fire, Math.min(timerMaxMillis, Math.max(1, Math.ceil(at - performance.now()))))
  }

  readonly #fire = (): void => {
    this.#timer = null
    this.#firesAt = Infinity
    const now = performance.now()
    for (let item = this.#heap[0]; item !== undefined && item.dueAt <= now; item = this.#heap[0]) {
      this.remove(item)
      this.#onDue(item, now)
    }
    const next = this.#heap[0]
    if (next !== undefined && next.dueAt < this.#firesAt) this.#arm(next.dueAt)
  }

  #up(item: A, from: number): void {
    const heap = this.#heap
    let index = from
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || parent.dueAt <= item.dueAt) break
      heap[index] = parent
      parent.heapIndex = index
      index = above
    }
    heap[index] = item
    item.heapIndex = index
  }

  #down(item: A, from: number): void {
    const heap = this.#heap
    let index = from
    while (true) {
      const left = heap[2 * index + 1]
      const right = heap[2 * index + 2]
      const child = right !== undefined && left !== undefined && right.dueAt < left.dueAt ? right : left
      if (child === undefined || child.dueAt >= item.dueAt) break
      const below = child.heapIndex
      heap[index] = child
      child.heapIndex = index
      index = below
    }
    heap[index] = item
    item.heapIndex = index
  }
}
