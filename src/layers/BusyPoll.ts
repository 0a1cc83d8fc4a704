/**
 * Busy polling: when the next message is likely to come within microseconds, a control plane looks for it instead of going
 * to sleep. To be woken costs a process more than a small task does, most of all on a virtual machine: a task that is
 * submitted, run and awaited alone wakes its control plane twice, which was two fifths of the time that it took.
 *
 * It polls only while it pays: after two pauses in a row that were shorter than a poll may be, and with few tasks under way.
 * So a control plane whose messages come a millisecond apart sleeps between them, and so does an idle one.
 *
 * @since 0.1.0
 */

/** Pauses in a row that must have been short. One is not enough: a result comes soon after its task, and then nothing. */
const leastShort = 2

/** Whoever comes less often than this does not suffer from being waited for asleep. */
const maxMicros = 10_000

/**
 * Polls while messages come in quick succession.
 *
 * @category models
 * @since 0.1.0
 */
export interface BusyPoll {
  /** A message has come. */
  readonly heard: () => void
  /** What had come is done: the process may sleep now. */
  readonly rest: () => void
}

/**
 * Creates it. A poll lasts `micros` at most (10,000 if that is less), 0 is never; `isWorthIt` tells whether one may begin now.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeBusyPoll = ({ isWorthIt, micros, now = () => performance.now(), turn = setImmediate }: {
  readonly micros: number
  readonly isWorthIt: () => boolean
  /** Milliseconds. Not those of a clock that a program can stop: then a poll would have no end. */
  readonly now?: () => number
  /** Calls a function in the next turn of the event loop, which does not sleep before it. */
  readonly turn?: (next: () => void) => void
}): BusyPoll => {
  const longest = Math.min(micros, maxMicros) / 1_000
  let restingSince = -Infinity
  let isResting = false
  let isPolling = false
  let short = 0

  const poll = () => {
    isPolling = isResting && now() - restingSince < longest
    if (isPolling) turn(poll)
  }

  return {
    heard() {
      if (!isResting) return
      isResting = false
      short = now() - restingSince < longest ? short + 1 : 0
    },
    rest() {
      // After a turn in which nothing was heard the pause goes on.
      if (isResting || longest <= 0) return
      isResting = true
      restingSince = now()
      if (isPolling || short < leastShort || !isWorthIt()) return
      isPolling = true
      turn(poll)
    }
  }
}
