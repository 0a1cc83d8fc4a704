/**
 * Outcomes in memory, least recently used first out, bounded by count, bytes and age. Of an outcome that was dropped a
 * tombstone remains (its final state and fingerprint), bounded by count. Nothing survives a crash.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hashOf, otherHashOf } from "../domain/IdHash.ts"
import { IdMap } from "../domain/IdMap.ts"
import type { Outcome, Tombstone } from "../domain/Outcome.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import { ResultCache } from "../services/ResultCache.ts"
import { Settings } from "../services/Settings.ts"
import { makeTombstones } from "./Tombstones.ts"

/**
 * Bytes that an outcome accounts for besides its body: record, id, entry of the map. Measured on Node 24.
 *
 * @category constants
 * @since 0.1.0
 */
export const outcomeOverheadBytes = 400

/**
 * Outcomes that are dropped at once of a large cache. None of what one refers to is in a cache of the processor any more,
 * and one after the other they would be waited for one after the other: several at once are fetched together.
 */
const maxDropsAtOnce = 32

/** An outcome that is kept. */
interface Entry extends Tombstone {
  readonly id: string
  readonly outcome: Outcome
  readonly keptUntil: number
  readonly size: number
  /** Of its id. */
  readonly hash: number
  readonly otherHash: number
}

/**
 * Creates the cache from its bounds.
 *
 * **Details**
 *
 * Made for this: each task passes here, and with a general cache library this was two fifths of what a task costs the
 * control plane (`bench/ControlPlane.ts`).
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = (
  settings: Pick<Values, "resultCacheSize" | "resultCacheBytes" | "resultCacheTtlMillis" | "tombstones">
): ResultCache["Service"] => {
  const ttl = Math.max(1, settings.resultCacheTtlMillis)
  const tombstones = makeTombstones(settings.tombstones)
  /** From the least to the most recently used. */
  const entries = new IdMap<Entry>()
  let bytes = 0
  const dropsAtOnce = Math.max(1, Math.min(maxDropsAtOnce, Math.floor(settings.resultCacheSize / 256)))

  const remove = ({ id, size }: Entry) => {
    entries.delete(id)
    bytes -= size
  }
  const bury = ({ fingerprint, hash, otherHash, state }: Entry) =>
    tombstones.setHashed(hash, otherHash, state, fingerprint)
  const drop = (entry: Entry) => {
    remove(entry)
    bury(entry)
  }
  const dropOldest = () => {
    const oldest = entries.shift() as Entry
    bytes -= oldest.size
    bury(oldest)
  }
  const use = (entry: Entry) => {
    entries.delete(entry.id)
    entries.set(entry)
  }

  let hits = 0
  let misses = 0

  const isStale = ({ keptUntil }: Entry, now: number) => now > keptUntil

  return ResultCache.of({
    put(outcome, fingerprint, now, keepMillis) {
      const { body, id, state } = outcome
      const size = body.length + outcomeOverheadBytes
      if (settings.resultCacheSize <= 0 || keepMillis <= 0 || size > settings.resultCacheBytes) {
        tombstones.set(id, state, fingerprint)
        return
      }
      const keptUntil = now + Math.min(keepMillis, ttl)
      const hash = hashOf(id)
      const otherHash = otherHashOf(id)
      const entry: Entry = { id, outcome, state, fingerprint, keptUntil, size, hash, otherHash }
      const before = entries.set(entry)
      bytes += size
      if (before !== undefined) {
        bytes -= before.size
        use(entry)
      }
      if (entries.size > settings.resultCacheSize) { for (let i = 0; i < dropsAtOnce; i++) dropOldest() }
      while (bytes > settings.resultCacheBytes) dropOldest()
    },
    get(id, now) {
      const entry = entries.get(id)
      if (entry === undefined || isStale(entry, now)) {
        misses++
        if (entry !== undefined) drop(entry)
        return undefined
      }
      hits++
      use(entry)
      return entry.outcome
    },
    peek(id, now) {
      const entry = entries.get(id)
      return entry === undefined || isStale(entry, now) ? undefined : entry.outcome
    },
    asked: () => ({ hits, misses }),
    recall: (id) => entries.get(id) ?? tombstones.get(id),
    forget(id) {
      const entry = entries.get(id)
      if (entry !== undefined) remove(entry)
      tombstones.delete(id)
    },
    *outcomes() {
      for (const { outcome } of entries.values().toReversed()) yield outcome
    },
    expire(now) {
      for (const entry of entries.values()) if (isStale(entry, now)) drop(entry)
    },
    size: () => entries.size,
    bytes: () => bytes
  })
}

/**
 * Layer that keeps outcomes in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<ResultCache> = Layer.effect(ResultCache, Effect.map(Settings, makeUnsafe))
