/**
 * How a control plane does, in one sentence and its cause: the first rule that holds. Pure, so that it says the same on a
 * page, in the terminal and in a test.
 *
 * @since 0.1.0
 */
import type { Priority } from "./Priority.ts"
import type { Headline } from "./View.ts"

/**
 * What is looked at.
 *
 * @category models
 * @since 0.1.0
 */
export interface Situation {
  readonly isDraining: boolean
  /** Why nothing can be stored in the journal now. */
  readonly journal?: string | undefined
  /** What is paused, as `all`, `task:NAME`, `worker:ID`, `schedule:ID`. */
  readonly paused: ReadonlyArray<string>
  /** Tasks that are ready to run, and those that run. */
  readonly ready: number
  readonly running: number
  /** Workers that are there and not draining, and their slots. */
  readonly workers: number
  readonly slots: number
  /** How many more tasks become ready than start, a second, if that has been so for a minute; and the priority most of all. */
  readonly growth?: { readonly perSecond: number; readonly priority: Priority; readonly change: number } | undefined
  /** Per second. */
  readonly arriving: number
  readonly finishing: number
  /** Finished and failed over the last minute. */
  readonly finished: number
  readonly failed: number
  /** The task name that failed most, over the last minute or so. */
  readonly failingMost?: string | undefined
  /** Workers that stopped answering, the last one first. */
  readonly lost: ReadonlyArray<{ readonly id: string; readonly key: string; readonly millis: number }>
}

/** Below these, a share of failures says little. */
const leastFinished = 20
const mostFailing = 0.05

const numbers = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 })
const count = (value: number): string => numbers.format(value)
const tasks = (value: number): string => value === 1 ? "1 task" : `${count(value)} tasks`

/** "38 s", "1 m 33 s", "2 h 5 m". */
const span = (millis: number): string => {
  const seconds = Math.max(0, Math.round(millis / 1_000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} m` : `${minutes} m ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} m`
}

type Cause = Headline["cause"][number]

const lostCause = ({ id, key, millis }: Situation["lost"][number]): Cause => ({
  text: `${id} stopped answering ${span(millis)} ago; what it ran was queued again.`,
  to: `/workers/${encodeURIComponent(key)}`
})

const small = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

/** As many workers as would have to come for as much to finish as arrives. */
const missing = ({ arriving, finishing, workers }: Situation): number =>
  finishing > 0 && arriving > finishing ? Math.max(1, Math.ceil(workers * (arriving / finishing - 1))) : 0

const fallingBehind = (situation: Situation, growth: NonNullable<Situation["growth"]>): Headline => {
  const short = missing(situation)
  const workers = `${small[short] ?? count(short)} worker${short === 1 ? "" : "s"} short`
  const name = `${growth.priority.charAt(0).toUpperCase()}${growth.priority.slice(1)}`
  return {
    tone: "warn",
    kind: "falling-behind",
    title: short === 0 ? "Falling behind." : `Falling behind, ${workers}.`,
    cause: [
      ...situation.lost.slice(0, 1).map(lostCause),
      {
        text: `${name} grows by ${count(Math.max(0.1, growth.change))} tasks a second, and all ${
          count(situation.slots)
        } slots are busy.`,
        to: `/tasks?state=queued&priority=${growth.priority}`
      }
    ]
  }
}

/**
 * Returns how it goes: the first of these that holds.
 *
 * **Details**
 *
 * Draining; the journal can't be written; everything is paused; tasks are ready and no worker is there; more become ready
 * than start for a minute while all slots are busy; more than 5 % of at least 20 tasks fail; a worker was lost; nothing to
 * do; well.
 *
 * @category rules
 * @since 0.1.0
 */
export const headline = (situation: Situation): Headline => {
  const { failed, failingMost, finished, growth, isDraining, journal, lost, paused, ready, running, slots, workers } =
    situation
  if (isDraining) {
    return {
      tone: "warn",
      kind: "draining",
      title: "Shutting down.",
      cause: [{
        text: running === 0 ? "Nothing runs any more." : `Waiting for ${tasks(running)} to finish; nothing new starts.`
      }]
    }
  }
  if (journal !== undefined) {
    return {
      tone: "bad",
      kind: "journal",
      title: "The journal can't be written.",
      cause: [{ text: `New tasks are refused until it can: ${journal}.`.replace(/\.\.$/u, "."), to: "/system" }]
    }
  }
  if (paused.includes("all")) {
    return {
      tone: "warn",
      kind: "paused",
      title: "Paused.",
      cause: [{
        text: `Nothing starts until it is resumed; ${ready === 1 ? "1 task is" : `${tasks(ready)} are`} ready to run.`,
        to: "/tasks?state=queued"
      }]
    }
  }
  if (ready > 0 && workers === 0) {
    return {
      tone: "bad",
      kind: "no-worker",
      title: "No worker.",
      cause: [
        {
          text: `${ready === 1 ? "1 task is" : `${tasks(ready)} are`} ready and nobody can run ${
            ready === 1 ? "it" : "them"
          }.`,
          to: "/workers"
        },
        ...lost.slice(0, 1).map(lostCause)
      ]
    }
  }
  if (growth !== undefined && running >= slots) return fallingBehind(situation, growth)
  if (finished >= leastFinished && failed / finished > mostFailing) {
    return {
      tone: "bad",
      kind: "failing",
      title: `${count(100 * failed / finished)} % of tasks fail.`,
      cause: [{
        text: `${count(failed)} of the ${count(finished)} that finished in the last minute failed${
          failingMost === undefined ? "." : `, most of them ${failingMost}.`
        }`,
        to: "/errors"
      }]
    }
  }
  if (lost.length > 0) {
    return {
      tone: "warn",
      kind: "worker-lost",
      title: lost.length === 1 ? "A worker was lost." : `${count(lost.length)} workers were lost.`,
      cause: lost.slice(0, 3).map(lostCause)
    }
  }
  if (ready === 0 && running === 0) {
    return {
      tone: "idle",
      kind: "idle",
      title: "Nothing to do.",
      cause: workers === 0 ? [{ text: "No worker is connected.", to: "/workers" }] : []
    }
  }
  return { tone: "good", kind: "well", title: "Running well.", cause: [] }
}
