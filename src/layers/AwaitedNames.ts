/**
 * Names of tasks that no worker has announced, and that were accepted all the same: in a deploy those who submit may be new
 * before those who run. Each is waited for so long, from its first task; what waits then fails. Part of the core of a
 * control plane: synchronous, with the time as an argument.
 *
 * @since 0.1.0
 */

/** Names that are waited for at a time: they come from outside, and must not pile up. */
const maxNames = 1_000

/** Whoever waits is looked for among all tasks, so not more often than this. */
const lookMillis = 1_000

const none: ReadonlySet<string> = new Set()

/**
 * Names that are waited for.
 *
 * @category models
 * @since 0.1.0
 */
export type AwaitedNames = ReturnType<typeof makeAwaitedNames>

/**
 * Creates it without a name. With 0 milliseconds no name is waited for.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeAwaitedNames = (waitMillis: number) => {
  /** When each is given up: in the order in which they were first submitted. */
  const names = new Map<string, number>()
  let lookedAt = -Infinity

  return {
    /** Whether a task of this name may wait for its worker. From now on it does. */
    admit(name: string, now: number): boolean {
      if (waitMillis === 0) return false
      if (names.has(name)) return true
      if (names.size >= maxNames) return false
      names.set(name, now + waitMillis)
      return true
    },

    /** Until when a name is waited for. */
    until: (name: string): number | undefined => names.get(name),

    /** The names whose workers did not come in time; they and those that are known now are waited for no longer. */
    overdue(now: number, isKnown: (name: string) => boolean): ReadonlySet<string> {
      if (names.size === 0 || now - lookedAt < lookMillis) return none
      lookedAt = now
      const overdue = new Set<string>()
      for (const [name, until] of names) {
        if (isKnown(name)) names.delete(name)
        else if (until <= now) {
          names.delete(name)
          overdue.add(name)
        }
      }
      return overdue
    },

    /** The control plane stood still for so long: none of that time counts. */
    forgive(millis: number) {
      for (const [name, until] of names) names.set(name, until + millis)
    }
  }
}
