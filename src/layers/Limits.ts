/**
 * Limits of task types: how many run at once and how many start in a time, altogether and for each limit key. Part of the
 * core of a control plane: synchronous, with the time as an argument.
 *
 * A rate is a token bucket that holds `limit` tokens, is full in the beginning and gets a new one every `per / limit`
 * milliseconds; so in any time of length `t` at most `limit + t * limit / per` tasks start. A task is admitted from the very
 * time on for which it is woken: both are the same expression, so that rounding can't make it ask in vain without end.
 *
 * Running tasks are counted whether there are limits or not, so that limits can change at any time. Of a key that says
 * nothing (nothing runs, the bucket is full) nothing is kept: memory is bounded by the keys in use.
 *
 * @since 0.1.0
 */
import type { Limits as Declared } from "../domain/Message.ts"
import { formatDuration } from "../domain/Settings.ts"
import type { Timer } from "./Timers.ts"
import { makeTimers } from "./Timers.ts"

/** Something that is counted: all tasks of a name, or those of one of its keys. */
interface Gauge {
  readonly name: string
  /** Empty for all tasks of the name. */
  readonly key: string
  bound: number | undefined
  rate: Rate | undefined
  running: number
  /** Tokens that were missing in the bucket at `since`. */
  used: number
  since: number
  /** What a task was turned away for, since that was last free. */
  lacks: "place" | "token" | undefined
  /** Set for the next token while that is what is lacking, else for when the bucket of a key is full. */
  timer: Timer<Gauge> | undefined
}

interface Type {
  declared: Declared
  readonly all: Gauge
  readonly keys: Map<string, Gauge>
}

/**
 * A name (the key is empty), or a key of it, whose tasks may go on: lanes that were parked for it are to be unparked.
 *
 * @category models
 * @since 0.1.0
 */
export interface Freed {
  readonly name: string
  readonly key: string
}

/**
 * The limits of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type Limits = ReturnType<typeof makeLimits>

type Rate = NonNullable<Declared["rate"]>

const none: ReadonlyArray<Freed> = []
const noLimits: Declared = {}

/** Names that are remembered though none of their tasks runs: as many as the registry remembers. */
const maxNames = 10_000

/** How much too early a token may be used, in milliseconds and in tokens: fractions round. */
const slackMillis = 0.001
const slackTokens = 0.5

const makeGauge = (name: string, key: string, { concurrency, keyConcurrency, keyRate, rate }: Declared): Gauge => ({
  name,
  key,
  bound: key === "" ? concurrency : keyConcurrency,
  rate: key === "" ? rate : keyRate,
  running: 0,
  used: 0,
  since: 0,
  lacks: undefined,
  timer: undefined
})

const makeType = (name: string): Type => ({
  declared: noLimits,
  all: makeGauge(name, "", noLimits),
  keys: new Map()
})

const usedAt = ({ limit, per }: Rate, { since, used }: Gauge, now: number): number =>
  Math.max(0, used - (now - since) * limit / per)

/** When there is a token. */
const tokenAt = ({ limit, per }: Rate, { since, used }: Gauge): number => {
  const interval = per / limit
  return since + (used + 1 - limit) * interval - Math.min(slackMillis, slackTokens * interval)
}

/** When the bucket is full. */
const fullAt = ({ limit, per }: Rate, { since, used }: Gauge): number => since + used * per / limit

const sameRate = (a: Rate | undefined, b: Rate | undefined): boolean => a?.limit === b?.limit && a?.per === b?.per

const sameLimits = (a: Declared, b: Declared): boolean =>
  a.concurrency === b.concurrency && a.keyConcurrency === b.keyConcurrency &&
  sameRate(a.rate, b.rate) && sameRate(a.keyRate, b.keyRate)

/**
 * Creates the state without limits.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeLimits = () => {
  const types = new Map<string, Type>()
  const timers = makeTimers<Gauge>()

  const setTimer = (gauge: Gauge, at: number) => {
    if (gauge.timer === undefined) gauge.timer = timers.add(gauge, at)
    else timers.set(gauge.timer, at)
  }

  const clearTimer = ({ timer }: Gauge) => {
    if (timer !== undefined) timers.clear(timer)
  }

  const lacking = (gauge: Gauge, now: number): Gauge["lacks"] => {
    const { bound, rate, running } = gauge
    if (bound !== undefined && running >= bound) return "place"
    return rate !== undefined && now < tokenAt(rate, gauge) ? "token" : undefined
  }

  const admits = (gauge: Gauge, now: number): boolean => {
    const lacks = lacking(gauge, now)
    if (lacks === undefined) return true
    gauge.lacks = lacks
    // While a place is lacking too, a token is of no use: nobody is to be woken for it.
    if (lacks === "token" && gauge.rate !== undefined) setTimer(gauge, tokenAt(gauge.rate, gauge))
    return false
  }

  const take = (gauge: Gauge, now: number) => {
    const { rate } = gauge
    gauge.running++
    if (rate !== undefined) {
      const used = usedAt(rate, gauge, now)
      // Leases that were taken over come without asking: the bucket is never emptier than empty.
      gauge.used = now < tokenAt(rate, gauge) ? rate.limit : used + 1
      gauge.since = now
    }
  }

  /** Forgets a key that says nothing; if it still does, it is looked at when its bucket is full. */
  const tidy = (gauge: Gauge, now: number) => {
    const { key, lacks, name, rate, running } = gauge
    if (key === "" || running > 0 || lacks !== undefined) return
    if (rate !== undefined && fullAt(rate, gauge) > now) return setTimer(gauge, fullAt(rate, gauge))
    clearTimer(gauge)
    types.get(name)?.keys.delete(key)
  }

  /** A task of it does not run any more. Returns whether one that was turned away may be asked for again. */
  const leave = (gauge: Gauge, now: number, isRefund: boolean): boolean => {
    const { lacks, rate } = gauge
    if (gauge.running > 0) gauge.running--
    if (isRefund && rate !== undefined) {
      gauge.used = Math.max(0, usedAt(rate, gauge, now) - 1)
      gauge.since = now
    }
    const isFreed = lacks === "place" || (isRefund && lacks === "token")
    if (isFreed) gauge.lacks = undefined
    tidy(gauge, now)
    return isFreed
  }

  const left = (name: string, key: string, now: number, isRefund: boolean): ReadonlyArray<Freed> => {
    const type = types.get(name)
    if (type === undefined) return none
    const ofKey = key === "" ? undefined : type.keys.get(key)
    const isFreed = leave(type.all, now, isRefund)
    const isKeyFreed = ofKey !== undefined && leave(ofKey, now, isRefund)
    if (!isFreed && !isKeyFreed) return none
    return [...isFreed ? [{ name, key: "" }] : [], ...isKeyFreed ? [{ name, key }] : []]
  }

  /** Makes room for one more name: those that say nothing go, the one that was announced longest ago first. */
  const trim = (now: number) => {
    if (types.size < maxNames) return
    for (const [name, { all, keys }] of types) {
      if (all.running > 0 || keys.size > 0 || (all.rate !== undefined && fullAt(all.rate, all) > now)) continue
      clearTimer(all)
      types.delete(name)
      return
    }
  }

  /** The tokens that were used stay used when the rate is another one. */
  const change = (gauge: Gauge, bound: number | undefined, rate: Rate | undefined, now: number) => {
    const used = gauge.rate === undefined ? 0 : usedAt(gauge.rate, gauge, now)
    gauge.used = rate === undefined ? 0 : Math.min(used, rate.limit)
    gauge.since = now
    gauge.bound = bound
    gauge.rate = rate
    gauge.lacks = undefined
    clearTimer(gauge)
    tidy(gauge, now)
  }

  return {
    /**
     * Sets the limits of a name; tasks that run keep counting, and tokens that were used stay used. Returns whether they
     * have changed: then whatever was turned away may be asked for again.
     */
    configure(name: string, declared: Declared | undefined, now: number): boolean {
      const type = types.get(name) ?? makeType(name)
      // Deleted first, so that the order of the map is the order of the last announcement.
      types.delete(name)
      trim(now)
      types.set(name, type)
      const after = declared ?? noLimits
      if (sameLimits(type.declared, after)) return false
      type.declared = after
      change(type.all, after.concurrency, after.rate, now)
      for (const gauge of type.keys.values()) change(gauge, after.keyConcurrency, after.keyRate, now)
      return true
    },

    /** Whether a task of this name may start now, as far as limits of the whole name go. */
    admitsName(name: string, now: number): boolean {
      const type = types.get(name)
      return type === undefined || admits(type.all, now)
    },

    /** Whether a task of this key may start now, as far as limits per key go. */
    admitsKey(name: string, key: string, now: number): boolean {
      const gauge = key === "" ? undefined : types.get(name)?.keys.get(key)
      return gauge === undefined || admits(gauge, now)
    },

    /** A task starts. */
    started(name: string, key: string, now: number) {
      let type = types.get(name)
      if (type === undefined) types.set(name, type = makeType(name))
      take(type.all, now)
      if (key === "") return
      let gauge = type.keys.get(key)
      if (gauge === undefined) type.keys.set(key, gauge = makeGauge(name, key, type.declared))
      take(gauge, now)
    },

    /** A task that had started does not run any more. Returns what may go on. */
    ended: (name: string, key: string, now: number) => left(name, key, now, false),

    /** A task did not start after all: its place and its tokens are given back. Returns what may go on. */
    refund: (name: string, key: string, now: number) => left(name, key, now, true),

    /** When {@link wake} has something to do. */
    nextWake: (): number | undefined => timers.next(),

    /** Returns what was turned away for a token that is there now. */
    wake(now: number): ReadonlyArray<Freed> {
      let freed: Array<Freed> | undefined
      for (let gauge = timers.due(now); gauge !== undefined; gauge = timers.due(now)) {
        const { key, name } = gauge
        if (gauge.lacks === "token") {
          gauge.lacks = undefined
          freed ??= []
          freed.push({ name, key })
        }
        tidy(gauge, now)
      }
      return freed ?? none
    },

    /** Why a task can't start now, for people, and until when if that ends by itself. */
    explain(name: string, key: string, now: number): { readonly text: string; readonly until?: number } | undefined {
      const type = types.get(name)
      const gauges = type === undefined ? [] : [type.all, key === "" ? undefined : type.keys.get(key)]
      for (const gauge of gauges) {
        const lacks = gauge === undefined ? undefined : lacking(gauge, now)
        if (gauge === undefined || lacks === undefined) continue
        const { bound, rate, running } = gauge
        const of = gauge.key === "" ? `"${name}"` : `"${name}" with the key "${key}"`
        if (lacks === "place") return { text: `${running} of ${bound} of ${of} run at once` }
        if (rate === undefined) continue
        const until = tokenAt(rate, gauge)
        const wait = Math.max(1, Math.ceil(until - now))
        return {
          text: `the rate of ${of} is ${rate.limit} in ${formatDuration(rate.per)}, the next may start in ${wait} ms`,
          until
        }
      }
      return undefined
    },

    /** Number of keys that are remembered. */
    size: () => {
      let size = 0
      for (const { keys } of types.values()) size += keys.size
      return size
    }
  }
}
