/**
 * Limits of task types: how many run at once and how many start in a time, altogether and for each limit key. Part of the
 * core of a control plane: synchronous, with the time as an argument.
 *
 * A rate is a token bucket that holds `limit` tokens, is full in the beginning and gets a new one every `per / limit`
 * milliseconds; so in any time of length `t` at most `limit + t * limit / per` tasks start. What says nothing (nothing
 * runs, the bucket is full) is forgotten: memory is bounded by the keys in use.
 *
 * @since 0.1.0
 */
import type { Limits as Declared } from "../domain/Message.ts"
import type { Timer } from "./Timers.ts"
import { makeTimers } from "./Timers.ts"

/** Something that is counted: all tasks of a name, or those of one of its keys. */
interface Gauge {
  readonly name: string
  /** Empty for all tasks of the name. */
  readonly key: string
  running: number
  /** Tokens that were there at `since`. */
  tokens: number
  since: number
  /** Runs while the bucket is not full, or somebody waits for a token. */
  timer: Timer<Gauge> | undefined
  /** Whether a task was turned away since the last one ended or the last token came. */
  isWanted: boolean
}

interface Type {
  declared: Declared
  readonly all: Gauge
  readonly keys: Map<string, Gauge>
}

/**
 * A name or key whose tasks may go on: lanes that were parked for it are to be unparked.
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

/**
 * Creates the state without limits.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeLimits = () => {
  const types = new Map<string, Type>()
  const timers = makeTimers<Gauge>()

  const gauge = (name: string, key: string): Gauge => ({
    name,
    key,
    running: 0,
    tokens: Infinity,
    since: 0,
    timer: undefined,
    isWanted: false
  })

  const rateOf = ({ declared }: Type, { key }: Gauge): Rate | undefined => key === "" ? declared.rate : declared.keyRate
  const boundOf = ({ declared }: Type, { key }: Gauge): number | undefined =>
    key === "" ? declared.concurrency : declared.keyConcurrency

  const tokensAt = ({ limit, per }: Rate, { since, tokens }: Gauge, now: number): number =>
    Math.min(limit, tokens + (now - since) * limit / per)

  /** When the bucket has its next token, or is full; computed from tokens, so rounded up: never too early. */
  const tokenAt = ({ limit, per }: Rate, { since, tokens }: Gauge): number =>
    since + Math.ceil((Math.max(1, Math.floor(tokens) + 1) - tokens) * per / limit)

  const fullAt = ({ limit, per }: Rate, { since, tokens }: Gauge): number =>
    since + Math.ceil((limit - tokens) * per / limit)

  const admits = (type: Type, gauge: Gauge, now: number): boolean => {
    const bound = boundOf(type, gauge)
    const rate = rateOf(type, gauge)
    const isAdmitted = (bound === undefined || gauge.running < bound) &&
      (rate === undefined || tokensAt(rate, gauge, now) >= 1 - 1e-9)
    if (!isAdmitted) {
      gauge.isWanted = true
      watch(type, gauge, now)
    }
    return isAdmitted
  }

  /** Sets the timer of a gauge: to its next token while one is waited for, else to when it is full and can be forgotten. */
  const watch = (type: Type, gauge: Gauge, now: number) => {
    const rate = rateOf(type, gauge)
    if (rate === undefined || gauge.tokens >= rate.limit) return
    // Later than now, whatever the roundings make of it: a timer that is due again at once would never let go.
    const at = Math.max(gauge.isWanted ? tokenAt(rate, gauge) : fullAt(rate, gauge), now + 1)
    if (gauge.timer === undefined) gauge.timer = timers.add(gauge, at)
    else timers.set(gauge.timer, at)
  }

  const take = (type: Type, gauge: Gauge, now: number) => {
    gauge.running++
    const rate = rateOf(type, gauge)
    if (rate === undefined) return
    gauge.tokens = tokensAt(rate, gauge, now) - 1
    gauge.since = now
    watch(type, gauge, now)
  }

  const forget = (type: Type, gauge: Gauge, now: number) => {
    if (gauge.key === "" || gauge.running > 0 || gauge.isWanted) return
    const rate = rateOf(type, gauge)
    if (rate !== undefined && tokensAt(rate, gauge, now) < rate.limit) return
    if (gauge.timer !== undefined) timers.clear(gauge.timer)
    type.keys.delete(gauge.key)
  }

  const gaugeOf = ({ all, keys }: Type, key: string): Gauge => {
    let found = keys.get(key)
    if (found === undefined) {
      found = gauge(all.name, key)
      keys.set(key, found)
    }
    return found
  }

  const gaugesOf = (name: string, key: string): ReadonlyArray<Gauge> => {
    const type = types.get(name)
    const found = type?.keys.get(key)
    return type === undefined ? [] : found === undefined ? [type.all] : [type.all, found]
  }

  /** One place less is taken. Returns what may go on. */
  const leave = (name: string, key: string, now: number, refund: boolean): ReadonlyArray<Freed> => {
    const type = types.get(name)
    if (type === undefined) return none
    let freed: Array<Freed> | undefined
    for (const gauge of gaugesOf(name, key)) {
      if (gauge.running > 0) gauge.running--
      const rate = rateOf(type, gauge)
      if (refund && rate !== undefined) {
        gauge.tokens = Math.min(rate.limit, tokensAt(rate, gauge, now) + 1)
        gauge.since = now
      }
      if (gauge.isWanted) {
        gauge.isWanted = false
        freed ??= []
        freed.push({ name, key: gauge.key })
      }
      forget(type, gauge, now)
    }
    return freed ?? none
  }

  return {
    /** Sets the limits of a name; tasks that run count. `running`: their limit keys, asked for when limits are new. */
    configure(name: string, declared: Declared | undefined, running: () => Iterable<string>) {
      const known = types.get(name)
      if (known !== undefined) known.declared = declared ?? {}
      if (known !== undefined || declared === undefined) return
      const type: Type = { declared, all: gauge(name, ""), keys: new Map() }
      types.set(name, type)
      for (const key of running()) {
        type.all.running++
        if (key !== "") gaugeOf(type, key).running++
      }
    },

    /** Whether a task of this name may start now, as far as limits of the whole name go. */
    admitsName(name: string, now: number): boolean {
      const type = types.get(name)
      return type === undefined || admits(type, type.all, now)
    },

    /** Whether a task of this key may start now, as far as limits per key go. */
    admitsKey(name: string, key: string, now: number): boolean {
      if (key === "") return true
      const type = types.get(name)
      if (type === undefined) return true
      const { declared, keys } = type
      if (declared.keyConcurrency === undefined && declared.keyRate === undefined) return true
      const found = keys.get(key)
      return found === undefined || admits(type, found, now)
    },

    /** A task starts. */
    started(name: string, key: string, now: number) {
      const type = types.get(name)
      if (type === undefined) return
      take(type, type.all, now)
      if (key === "") return
      take(type, gaugeOf(type, key), now)
    },

    /** A task that had started does not run any more. Returns what may go on. */
    ended: (name: string, key: string, now: number) => leave(name, key, now, false),

    /** A task did not start after all. Returns what may go on. */
    refund: (name: string, key: string, now: number) => leave(name, key, now, true),

    /** When {@link wake} has something to do. */
    nextWake: (): number | undefined => timers.next(),

    /** Returns what has a token again and was turned away. */
    wake(now: number): ReadonlyArray<Freed> {
      let freed: Array<Freed> | undefined
      for (let gauge = timers.due(now); gauge !== undefined; gauge = timers.due(now)) {
        const type = types.get(gauge.name)
        if (type === undefined) continue
        if (gauge.isWanted) {
          gauge.isWanted = false
          freed ??= []
          freed.push({ name: gauge.name, key: gauge.key })
        }
        const rate = rateOf(type, gauge)
        if (rate !== undefined && tokensAt(rate, gauge, now) < rate.limit) watch(type, gauge, now)
        else forget(type, gauge, now)
      }
      return freed ?? none
    },

    /** Why a task can't start now, for people. */
    explain(name: string, key: string, now: number): string | undefined {
      const type = types.get(name)
      if (type === undefined) return undefined
      for (const gauge of gaugesOf(name, key)) {
        const of = gauge.key === "" ? `"${name}"` : `"${name}" with the key "${gauge.key}"`
        const bound = boundOf(type, gauge)
        if (bound !== undefined && gauge.running >= bound) return `${gauge.running} of ${bound} of ${of} run at once`
        const rate = rateOf(type, gauge)
        if (rate !== undefined && tokensAt(rate, gauge, now) < 1 - 1e-9) {
          const wait = Math.max(0, Math.ceil(tokenAt(rate, gauge) - now))
          return `the rate of ${of} is ${rate.limit} in ${rate.per} ms, the next may start in ${wait} ms`
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
