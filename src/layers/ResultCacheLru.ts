/**
 * Outcomes in memory, least recently used first out, bounded by count, bytes and age. Of an outcome that was dropped a
 * tombstone remains (its final state and fingerprint), bounded by count. Nothing survives a crash.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LRUCache } from "lru-cache"
import type { Outcome, Tombstone } from "../domain/Outcome.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import { ResultCache } from "../services/ResultCache.ts"
import { Settings } from "../services/Settings.ts"

/**
 * Bytes that an outcome accounts for besides its body: record, id, entry of the map. Measured on Node 24.
 *
 * @category constants
 * @since 0.1.0
 */
export const outcomeOverheadBytes = 400

interface Entry extends Tombstone {
  readonly outcome: Outcome
  readonly keptUntil: number
}

/**
 * Creates the cache from its bounds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = (
  settings: Pick<Values, "resultCacheSize" | "resultCacheBytes" | "resultCacheTtlMillis" | "tombstones">
): ResultCache["Service"] => {
  const ttl = Math.max(1, settings.resultCacheTtlMillis)
  const tombstones = new LRUCache<string, Tombstone>({ max: Math.max(1, settings.tombstones) })
  const entries = new LRUCache<string, Entry>({
    max: Math.max(1, settings.resultCacheSize),
    maxSize: Math.max(1, settings.resultCacheBytes),
    dispose: ({ fingerprint, state }, id, reason) => {
      if (reason !== "set") tombstones.set(id, { state, fingerprint })
    }
  })
  // The age is not left to the library: its clock is not ours, and its bookkeeping doubles the cost of a `put`.
  let hits = 0
  let misses = 0
  const isStale = ({ keptUntil }: Entry, now: number) => now > keptUntil
  return ResultCache.of({
    put(outcome, fingerprint, now, keepMillis) {
      const size = outcome.body.length + outcomeOverheadBytes
      if (settings.resultCacheSize === 0 || keepMillis <= 0 || size > settings.resultCacheBytes) {
        tombstones.set(outcome.id, { state: outcome.state, fingerprint })
      } else {
        const keptUntil = now + Math.min(keepMillis, ttl)
        entries.set(outcome.id, { outcome, state: outcome.state, fingerprint, keptUntil }, { size })
      }
    },
    get(id, now) {
      const entry = entries.get(id)
      if (entry === undefined || isStale(entry, now)) {
        misses++
        if (entry !== undefined) entries.delete(id)
        return undefined
      }
      hits++
      return entry.outcome
    },
    peek(id, now) {
      const entry = entries.peek(id)
      return entry === undefined || isStale(entry, now) ? undefined : entry.outcome
    },
    asked: () => ({ hits, misses }),
    recall: (id) => entries.peek(id) ?? tombstones.get(id),
    *outcomes() {
      for (const { outcome } of entries.values()) yield outcome
    },
    expire(now) {
      for (const [id, entry] of entries.entries()) if (isStale(entry, now)) entries.delete(id)
    },
    size: () => entries.size,
    bytes: () => entries.calculatedSize
  })
}

/**
 * Layer that keeps outcomes in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<ResultCache> = Layer.effect(ResultCache, Effect.map(Settings, makeUnsafe))
