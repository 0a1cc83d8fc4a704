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
  let time = 0
  const tombstones = new LRUCache<string, Tombstone>({ max: Math.max(1, settings.tombstones) })
  const entries = new LRUCache<string, Entry>({
    max: Math.max(1, settings.resultCacheSize),
    maxSize: Math.max(1, settings.resultCacheBytes),
    ttl: Math.max(1, settings.resultCacheTtlMillis),
    // The caller's clock, so that simulated time works (plus one: the library takes a start of 0 for none); resolution 0
    // keeps it from starting timers.
    ttlResolution: 0,
    perf: { now: () => time + 1 },
    dispose: ({ fingerprint, state }, id, reason) => {
      if (reason !== "set") tombstones.set(id, { state, fingerprint })
    }
  })
  return ResultCache.of({
    put(outcome, fingerprint, now) {
      time = now
      const size = outcome.body.length + outcomeOverheadBytes
      if (settings.resultCacheSize === 0 || size > settings.resultCacheBytes) {
        tombstones.set(outcome.id, { state: outcome.state, fingerprint })
      } else {
        entries.set(outcome.id, { outcome, state: outcome.state, fingerprint }, { size })
      }
    },
    get(id, now) {
      time = now
      return entries.get(id)?.outcome
    },
    recall: (id) => entries.peek(id, { allowStale: true }) ?? tombstones.get(id),
    *outcomes() {
      for (const { outcome } of entries.values()) yield outcome
    },
    expire(now) {
      time = now
      entries.purgeStale()
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
