/**
 * Times at which something is due: a binary heap, so that a timer is set, moved and cleared in O(log n) and the next one
 * is known at once. Part of the core of a control plane: no clock of its own.
 *
 * @since 0.1.0
 */

/**
 * A timer: its value, when it is due, and its place in the heap (-1 when it is in none), owned by {@link makeTimers}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timer<out A> {
  readonly value: A
  at: number
  /** Breaks ties: timers of the same time are due in the order in which they were set. */
  order: number
  index: number
}

/**
 * Timers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timers<A> {
  readonly add: (value: A, at: number) => Timer<A>
  /** Sets a timer to another time; one that was cleared, or was due, runs again. */
  readonly set: (timer: Timer<A>, at: number) => void
  readonly clear: (timer: Timer<A>) => void
  /** When the next one is due. */
  readonly next: () => number | undefined
  /** Removes and returns the value of one that is due. */
  readonly due: (now: number) => A | undefined
  readonly size: () => number
}

const isBefore = (a: Timer<unknown>, b: Timer<unknown>) => a.at !== b.at ? a.at < b.at : a.order < b.order

/**
 * Creates a set of timers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeTimers = <A>(): Timers<A> => {
  const heap: Array<Timer<A>> = []
  let order = 0

  const place = (timer: Timer<A>, index: number) => {
    heap[index] = timer
    timer.index = index
  }

  const up = (timer: Timer<A>, from: number) => {
    let index = from
    while (index > 0) {
      const parent = heap[(index - 1) >> 1] as Timer<A>
      if (!isBefore(timer, parent)) break
      place(parent, index)
      index = (index - 1) >> 1
    }
    place(timer, index)
  }

  const down = (timer: Timer<A>, from: number) => {
    let index = from
    while (true) {
      const left = 2 * index + 1
      if (left >= heap.length) break
      const right = left + 1
      const smaller = right < heap.length && isBefore(heap[right] as Timer<A>, heap[left] as Timer<A>) ? right : left
      const child = heap[smaller] as Timer<A>
      if (!isBefore(child, timer)) break
      place(child, index)
      index = smaller
    }
    place(timer, index)
  }

  const clear = (timer: Timer<A>) => {
    const { index } = timer
    if (index === -1) return
    timer.index = -1
    const last = heap.pop()
    if (last === undefined || last === timer) return
    down(last, index)
    up(last, last.index)
  }

  const timers: Timers<A> = {
    add(value, at) {
      const timer: Timer<A> = { value, at, order: order++, index: -1 }
      up(timer, heap.length)
      return timer
    },
    set(timer, at) {
      if (timer.index !== -1 && timer.at === at) return
      clear(timer)
      timer.at = at
      timer.order = order++
      up(timer, heap.length)
    },
    clear,
    next: () => heap[0]?.at,
    due(now) {
      const [first] = heap
      if (first === undefined || first.at > now) return undefined
      clear(first)
      return first.value
    },
    size: () => heap.length
  }
  return timers
}
