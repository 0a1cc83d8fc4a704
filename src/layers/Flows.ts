/**
 * Weighted fair queueing among the fairness keys of one priority: who has had how much, and when a key's next turn is.
 * Part of the queue in memory; knows keys and counts, no tasks.
 *
 * A key with waiting tasks is a flow with a virtual time, its `pass`: whoever has the lowest is served, and that puts it
 * 1 / weight further. The level's own virtual time is the pass that was served last, and never goes back:
 *
 * - A flow that could not be served for a while (nobody free for its names, limits) is counted as if it had kept up: it
 *   gets one turn at once, and what it missed is not made up for.
 * - A flow that begins stands half a step behind the level's time. In front, an endless sequence of keys that come with one task
 *   each would pass over all others for ever; a whole step behind, a flow that has waited could be served twice before it.
 * - A flow that has ended is remembered until the level's time has come to its pass: whoever submits one task at a time
 *   gets no more than whoever submits all of them at once.
 *
 * @since 0.1.0
 */
import type { Timer } from "./Timers.ts"
import { makeTimers } from "./Timers.ts"

/**
 * The tasks of one fairness key in one priority, owned by {@link makeFlows}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Flow {
  readonly key: string
  /** Virtual time of its next turn: grows with each turn, and never goes back while tasks of it wait. */
  pass: number
  weight: number
  /** Its waiting tasks. */
  size: number
  /** Runs while nothing of it waits and its pass is still ahead of the level's time. */
  timer: Timer<Flow> | undefined
}

/**
 * The flows of one priority.
 *
 * @category models
 * @since 0.1.0
 */
export interface Flows {
  /** Returns the flow of a key. */
  readonly of: (key: string) => Flow
  /** A task of the flow waits. `weight` is the share of its key from now on. */
  readonly joined: (flow: Flow, weight: number) => void
  /** A task of the flow waits no more. */
  readonly left: (flow: Flow) => void
  /** The flow has its turn: to be called before its task leaves. */
  readonly served: (flow: Flow) => void
  /** Number of flows that are known, with and without waiting tasks. */
  readonly size: () => number
}

/** Ended flows that are remembered at most; the next to be forgotten anyway goes first. */
const maxEnded = 100_000

const makeFlow = (key: string): Flow => ({ key, pass: 0, weight: 1, size: 0, timer: undefined })

/**
 * Creates the flows of one priority.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeFlows = (): Flows => {
  /** Tasks without a key: this flow is always there. */
  const plain = makeFlow("")
  const keyed = new Map<string, Flow>()
  let ended = makeTimers<Flow>()
  // In an object, where V8 changes a fraction in place.
  const level = { time: 0, waiting: 0 }

  /** Nothing waits, so nobody is behind anybody. */
  const reset = () => {
    level.time = 0
    plain.pass = 0
    keyed.clear()
    ended = makeTimers()
  }

  return {
    of(key) {
      if (key === "") return plain
      const found = keyed.get(key)
      if (found !== undefined) return found
      const flow = makeFlow(key)
      keyed.set(key, flow)
      return flow
    },
    joined(flow, weight) {
      level.waiting++
      if (flow.weight !== weight) flow.weight = Math.min(1000, Math.max(0.001, weight))
      if (flow.size++ > 0 || keyed.size === 0) return
      flow.pass = Math.max(flow.pass, level.time + 0.5 * Math.min(1, 1 / flow.weight))
      if (flow.timer !== undefined) ended.clear(flow.timer)
    },
    left(flow) {
      level.waiting--
      flow.size--
      if (keyed.size === 0) return
      if (level.waiting === 0) return reset()
      if (flow.size > 0 || flow === plain) return
      if (flow.pass <= level.time) {
        keyed.delete(flow.key)
        return
      }
      if (flow.timer === undefined) flow.timer = ended.add(flow, flow.pass)
      else ended.set(flow.timer, flow.pass)
      if (ended.size() > maxEnded) {
        const first = ended.due(Infinity)
        if (first !== undefined) keyed.delete(first.key)
      }
    },
    served(flow) {
      // Alone, tasks without a key have no turns.
      if (keyed.size === 0) return
      level.time = Math.max(level.time, flow.pass)
      flow.pass = level.time + 1 / flow.weight
      for (let gone = ended.due(level.time); gone !== undefined; gone = ended.due(level.time)) keyed.delete(gone.key)
    },
    size: () => keyed.size + 1
  }
}
