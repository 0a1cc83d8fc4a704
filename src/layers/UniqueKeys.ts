/**
 * Unique keys and the tasks that hold them. A key is held until its task starts, or ends, or for a period: nothing holds
 * one for ever. Part of the core of a control plane: synchronous, with the time as an argument; bounded in keys.
 *
 * @since 0.1.0
 */
import { BadRequest } from "../domain/Errors.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { TaskRecord } from "../domain/Task.ts"
import type { Timer } from "./Timers.ts"
import { makeTimers } from "./Timers.ts"

interface Holder {
  readonly name: string
  readonly key: string
  readonly id: string
  /** Runs while the key is held for a period. */
  timer: Timer<Holder> | undefined
}

/**
 * Unique keys and their holders.
 *
 * @category models
 * @since 0.1.0
 */
export type UniqueKeys = ReturnType<typeof makeUniqueKeys>

/**
 * Creates the state in which no key is held. `expired` is told of a key whose period is over.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeUniqueKeys = (
  { maxUniqueKeys }: Pick<Values, "maxUniqueKeys">,
  expired: (name: string, key: string) => void = () => {}
) => {
  const byName = new Map<string, Map<string, Holder>>()
  const timers = makeTimers<Holder>()
  let size = 0

  const holderOf = (name: string, key: string): Holder | undefined => byName.get(name)?.get(key)

  const add = (name: string, key: string, id: string, until: number | undefined) => {
    const holder: Holder = { name, key, id, timer: undefined }
    if (until !== undefined) holder.timer = timers.add(holder, until)
    const keys = byName.get(name)
    if (keys === undefined) byName.set(name, new Map([[key, holder]]))
    else keys.set(key, holder)
    size++
  }

  const remove = ({ key, name, timer }: Holder) => {
    if (timer !== undefined) timers.clear(timer)
    const keys = byName.get(name)
    if (keys?.delete(key) !== true) return
    size--
    if (keys.size === 0) byName.delete(name)
  }

  const expire = (now: number) => {
    for (let holder = timers.due(now); holder !== undefined; holder = timers.due(now)) {
      remove(holder)
      expired(holder.name, holder.key)
    }
  }

  return {
    /** Returns the id of the task that holds a key. */
    find(name: string, key: string, now: number): string | undefined {
      expire(now)
      return holderOf(name, key)?.id
    },

    /** Gives a task its unique key, unless another holds it. Returns why there is no room for it. */
    hold(task: TaskRecord, now: number): BadRequest | undefined {
      const unique = task.options?.unique
      if (unique === undefined || holderOf(task.name, unique.key) !== undefined) return undefined
      if (size >= maxUniqueKeys) {
        return new BadRequest({ reason: `too many unique keys are held, the bound is ${maxUniqueKeys}` })
      }
      add(task.name, unique.key, task.id, unique.while === "period" ? now + (unique.period ?? 0) : undefined)
      return undefined
    },

    /** Frees the key of a task, if it holds it. */
    release({ id, name, options }: TaskRecord) {
      const holder = options?.unique === undefined ? undefined : holderOf(name, options.unique.key)
      if (holder?.id === id) remove(holder)
    },

    /** Frees a key, whoever holds it. */
    free(name: string, key: string) {
      const holder = holderOf(name, key)
      if (holder !== undefined) remove(holder)
    },

    /** Brings back a key that is held for a period. */
    restore(name: string, key: string, id: string, until: number) {
      if (holderOf(name, key) === undefined) add(name, key, id, until)
    },

    /** Frees the keys whose period is over. */
    expire,
    size: () => size
  }
}
