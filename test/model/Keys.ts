/** Unique keys: who holds them, from what was submitted, what started and what ended. */
import type { Unique } from "../../src/domain/Task.ts"
import type { Durable } from "./Durable.ts"
import type { Entry } from "./Ledger.ts"
import { Broken } from "./Script.ts"

export interface Holder {
  readonly id: string
  readonly while: Unique["while"]
  /** `Infinity` unless it is held for a period. */
  readonly until: number
}

export type Keys = ReturnType<typeof makeKeys>

export const keyId = (name: string, key: string) => JSON.stringify([name, key])

export const makeKeys = ({ durable, now, wall }: {
  readonly durable: Durable | undefined
  readonly now: () => number
  readonly wall: () => number
}) => {
  const holders = new Map<string, Holder>()

  const find = (name: string, key: string): Holder | undefined => {
    const holder = holders.get(keyId(name, key))
    return holder === undefined || holder.until <= now() ? undefined : holder
  }

  const release = ({ id, name, options }: Entry) => {
    if (options?.unique === undefined) return
    const key = keyId(name, options.unique.key)
    if (holders.get(key)?.id === id) holders.delete(key)
  }

  const hold = ({ id, name, options }: Entry) => {
    const unique = options?.unique
    if (unique === undefined) return
    const until = unique.while === "period" ? now() + (unique.period ?? 0) : Infinity
    holders.set(keyId(name, unique.key), { id, while: unique.while, until })
  }

  return {
    holders,
    find,

    /** A task is accepted: nobody else may hold its key. */
    hold(entry: Entry) {
      const unique = entry.options?.unique
      if (unique === undefined) return
      const holder = find(entry.name, unique.key)
      if (holder !== undefined && unique.onConflict !== "replace") {
        throw new Broken("one task per unique key", `${entry.id} was accepted, ${holder.id} holds ${unique.key}`)
      }
      hold(entry)
      if (unique.while !== "period") return
      durable?.period(keyId(entry.name, unique.key), { id: entry.id, until: wall() + (unique.period ?? 0) })
    },

    started(entry: Entry) {
      if (entry.options?.unique?.while === "waiting") release(entry)
    },

    /** A task did not start after all. */
    returned(entry: Entry) {
      const unique = entry.options?.unique
      if (unique?.while === "waiting" && find(entry.name, unique.key) === undefined) hold(entry)
    },

    ended(entry: Entry) {
      if (entry.options?.unique?.while !== "period") release(entry)
    },

    /** It could not be stored: as if it had never been submitted. */
    forget(entry: Entry) {
      const unique = entry.options?.unique
      release(entry)
      if (unique?.while !== "period" || find(entry.name, unique.key) !== undefined) return
      durable?.freed(keyId(entry.name, unique.key))
    },

    expired(name: string, key: string) {
      const holder = holders.get(keyId(name, key))
      if (holder === undefined || holder.until > now()) {
        throw new Broken("a unique key is held for its period", `${key} of ${name} is free too early`)
      }
      holders.delete(keyId(name, key))
      durable?.period(keyId(name, key), undefined)
    },

    /** After a restart. */
    restore(id: string, holder: Holder) {
      holders.set(id, holder)
    }
  }
}
