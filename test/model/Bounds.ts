/**
 * The limits of task types as their definition says them, counted from what started and ended: how many run, and token
 * buckets. Where the core may know more or less (a rate has just been declared) there are two buckets: one that is never
 * emptier than the core's, for what must not start, and one that is never fuller, for what must not be left waiting.
 */
import type { Limits } from "../../src/domain/Message.ts"

interface Bucket {
  most: number
  least: number
  since: number
}

interface Gauge {
  running: number
  bucket: Bucket | undefined
}

type Rate = NonNullable<Limits["rate"]>

export type Bounds = ReturnType<typeof makeBounds>

const slack = 1e-6

/** A token that came so long ago has been noticed: timers are rounded up. */
const unnoticedMillis = 2

export const makeBounds = () => {
  const declared = new Map<string, Limits>()
  const gauges = new Map<string, Gauge>()

  const idOf = (name: string, key: string) => key === "" ? name : `${name}\n${key}`

  const gaugeOf = (name: string, key: string): Gauge => {
    const id = idOf(name, key)
    let gauge = gauges.get(id)
    if (gauge === undefined) {
      gauge = { running: 0, bucket: undefined }
      gauges.set(id, gauge)
    }
    return gauge
  }

  const rateOf = (name: string, key: string): Rate | undefined =>
    key === "" ? declared.get(name)?.rate : declared.get(name)?.keyRate

  const fill = ({ limit, per }: Rate, gauge: Gauge, now: number): Bucket => {
    const bucket = gauge.bucket ??= { most: limit, least: limit, since: now }
    const more = (now - bucket.since) * limit / per
    bucket.most = Math.min(limit, bucket.most + more)
    bucket.least = Math.min(limit, bucket.least + more)
    bucket.since = now
    return bucket
  }

  const each = (name: string, key: string, body: (key: string, gauge: Gauge) => void) => {
    body("", gaugeOf(name, ""))
    if (key !== "") body(key, gaugeOf(name, key))
  }

  const boundOf = (name: string, key: string): number =>
    (key === "" ? declared.get(name)?.concurrency : declared.get(name)?.keyConcurrency) ?? Infinity

  return {
    declare(name: string, limits: Limits | undefined, now: number) {
      const before = declared.get(name)
      declared.set(name, limits ?? {})
      for (const [id, gauge] of gauges) {
        const [of, key = ""] = id.split("\n")
        if (of !== name) continue
        const rate = rateOf(name, key)
        const was = key === "" ? before?.rate : before?.keyRate
        if (rate === undefined || (was?.limit === rate.limit && was.per === rate.per)) continue
        // What the core makes of the tokens of another rate is its business.
        gauge.bucket = { most: rate.limit, least: Math.min(0, gauge.bucket?.least ?? 0), since: now }
      }
    },

    /** Which limit one more start of a task would break. */
    broken(name: string, key: string, now: number): string | undefined {
      let found: string | undefined
      each(name, key, (key, gauge) => {
        const rate = rateOf(name, key)
        if (gauge.running + 1 > boundOf(name, key)) {
          found = `${gauge.running} of ${name} ${key} run, the bound is ${boundOf(name, key)}`
        }
        if (rate !== undefined && fill(rate, gauge, now).most < 1 - slack - 0.001 * rate.limit / rate.per) {
          found = `${gauge.bucket?.most} tokens are left of ${rate.limit} in ${rate.per} ms of ${name} ${key}`
        }
      })
      return found
    },

    /** Whether a task may start for sure: a token that has just come may not have been noticed. */
    admits(name: string, key: string, now: number): boolean {
      let isAdmitted = true
      each(name, key, (key, gauge) => {
        const rate = rateOf(name, key)
        if (gauge.running >= boundOf(name, key)) isAdmitted = false
        const { bucket } = gauge
        if (rate === undefined || bucket === undefined) return
        const more = Math.max(0, now - unnoticedMillis - bucket.since) * rate.limit / rate.per
        if (Math.min(rate.limit, bucket.least + more) < 1) isAdmitted = false
      })
      return isAdmitted
    },

    started(name: string, key: string, now: number) {
      each(name, key, (key, gauge) => {
        gauge.running++
        const rate = rateOf(name, key)
        if (rate === undefined) return
        const bucket = fill(rate, gauge, now)
        // A lease that is taken over comes without a token, and leaves no debt.
        bucket.most = Math.max(0, bucket.most - 1)
        bucket.least--
      })
    },

    /** `isRefunded`: it had not started after all. */
    ended(name: string, key: string, isRefunded: boolean, now: number) {
      each(name, key, (key, gauge) => {
        gauge.running--
        const rate = rateOf(name, key)
        if (rate === undefined || !isRefunded) return
        const bucket = fill(rate, gauge, now)
        bucket.most = Math.min(rate.limit, bucket.most + 1)
        bucket.least = Math.min(rate.limit, bucket.least + 1)
      })
    },

    running: (name: string, key = "") => gauges.get(idOf(name, key))?.running ?? 0
  }
}
