/**
 * Times at which something is due: a binary heap, so that a timer is set, moved and cleared in O(log n) and the next one
 * is known at once. Part of the core of a control plane: no clock of its own.
 *
 * @since 0.1.0
 */
import type { Placed } from "./Heap.ts"
import * as Heap from "./Heap.ts"

/**
 * A timer: its value, when it is due (`at`), and its place among the others (`index` is -1 when it does not run), owned
 * by {@link makeTimers}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timer<out A> extends Placed {
  readonly value: A
}

/**
 * Timers. Those of the same time are due in the order in which they were set to it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timers<A> {
  readonly add: (value: A, at: number) => Timer<A>
  /** Sets a timer to another time; one that was cleared, or was due, runs again. */
  readonly set: (timer: Timer<A>, at: number) => void
  /** Stops a timer; nothing happens when it does not run. */
  readonly clear: (timer: Timer<A>) => void
  /** When the next one is due. */
  readonly next: () => number | undefined
  /** Removes and returns the value of one that is due. */
  readonly due: (now: number) => A | undefined
  readonly size: () => number
}

/**
 * Creates a set of timers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeTimers = <A>(): Timers<A> => {
  const heap: Array<Timer<A>> = []
  let order = 0
  return {
    add(value, at) {
      const timer: Timer<A> = { value, at, order: order++, index: -1 }
      Heap.push(heap, timer)
      return timer
    },
    set(timer, at) {
      if (timer.index === -1) {
        timer.at = at
        timer.order = order++
        Heap.push(heap, timer)
      } else if (timer.at !== at) {
        timer.at = at
        timer.order = order++
        Heap.moved(heap, timer)
      }
    },
    clear(timer) {
      if (timer.index !== -1) Heap.remove(heap, timer)
    },
    next: () => heap[0]?.at,
    due(now) {
      const first = heap[0]
      if (first === undefined || first.at > now) return undefined
      Heap.remove(heap, first)
      return first.value
    },
    size: () => heap.length
  }
}
