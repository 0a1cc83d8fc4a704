/**
 * What workers did, by time: busy slots, lag, memory, CPU and finished tasks, a value each 10 seconds for 15 minutes; and
 * those that were lost a while ago, which the registry does not know any more. Part of the history of a control plane;
 * times are milliseconds of the monotonic clock.
 *
 * @since 0.1.0
 */
import type { WorkerRecord } from "../domain/WorkerInfo.ts"

/**
 * The step and the number of values.
 *
 * @category constants
 * @since 0.1.0
 */
export const stepMillis = 10_000
const size = 90

/** Lost workers are shown for so long, and so many of them. */
const lostMillis = 10 * 60_000
const maxLost = 50

/**
 * What is measured.
 *
 * @category models
 * @since 0.1.0
 */
export type Measure = "load" | "lag" | "heap" | "cpu"

const measures = ["load", "lag", "heap", "cpu"] as const

/**
 * A worker, as it was seen last.
 *
 * @category models
 * @since 0.1.0
 */
export interface Track {
  worker: WorkerRecord
  /** When it was lost. */
  lostAt: number | undefined
  /** Not a number: nothing is known. */
  readonly values: Readonly<Record<Measure, Float32Array>>
  readonly finished: Uint32Array
  /** Number of the step that is open. */
  index: number
  /** Of the open step: the sum of what was measured, and how often. */
  readonly sums: Record<Measure, number>
  readonly counts: Record<Measure, number>
  /** Tasks that it had finished when it was looked at last. */
  total: number
}

/**
 * What is known of the past of the workers of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type WorkerTracks = ReturnType<typeof makeWorkerTracks>

const makeTrack = (worker: WorkerRecord, index: number): Track => ({
  worker,
  lostAt: undefined,
  values: {
    load: new Float32Array(size).fill(NaN),
    lag: new Float32Array(size).fill(NaN),
    heap: new Float32Array(size).fill(NaN),
    cpu: new Float32Array(size).fill(NaN)
  },
  finished: new Uint32Array(size),
  index,
  sums: { load: 0, lag: 0, heap: 0, cpu: 0 },
  counts: { load: 0, lag: 0, heap: 0, cpu: 0 },
  total: worker.succeeded + worker.failed
})

const add = (track: Track, measure: Measure, value: number | undefined) => {
  if (value === undefined) return
  track.sums[measure] += value
  track.counts[measure]++
}

const close = (track: Track, index: number) => {
  for (const measure of measures) {
    const count = track.counts[measure]
    track.values[measure][track.index % size] = count === 0 ? NaN : track.sums[measure] / count
    track.sums[measure] = 0
    track.counts[measure] = 0
  }
  for (let skipped = Math.max(track.index + 1, index - size + 1); skipped <= index; skipped++) {
    for (const measure of measures) track.values[measure][skipped % size] = NaN
    track.finished[skipped % size] = 0
  }
  track.index = index
}

/**
 * Creates it without a worker.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeWorkerTracks = () => {
  const tracks = new Map<string, Track>()

  return {
    /** Measures the workers. Once a second. */
    sample(workers: Iterable<WorkerRecord>, at: number) {
      const index = Math.floor(at / stepMillis)
      const here = new Set<string>()
      for (const worker of workers) {
        here.add(worker.key)
        let track = tracks.get(worker.key)
        if (track === undefined) tracks.set(worker.key, track = makeTrack(worker, index))
        track.worker = worker
        track.lostAt = undefined
        if (index > track.index) close(track, index)
        const slot = index % size
        const total = worker.succeeded + worker.failed
        // One that registered anew may count from the beginning.
        track.finished[slot] = (track.finished[slot] as number) + Math.max(0, total - track.total)
        track.total = total
        add(track, "load", worker.leases.size / worker.slots)
        add(track, "lag", Math.max(worker.lag, worker.load?.loopLag ?? 0))
        add(track, "heap", worker.load?.heapUsed)
        add(track, "cpu", worker.load?.cpu)
      }
      let lost = 0
      for (const { lostAt } of tracks.values()) if (lostAt !== undefined) lost++
      for (const [key, { lostAt }] of tracks) {
        if (here.has(key)) continue
        if (lostAt !== undefined && at - lostAt < lostMillis && lost <= maxLost) continue
        if (lostAt !== undefined) lost--
        tracks.delete(key)
      }
    },

    /** A worker was given up. */
    lost(worker: WorkerRecord, at: number) {
      const track = tracks.get(worker.key) ?? makeTrack(worker, Math.floor(at / stepMillis))
      track.lostAt = at
      tracks.set(worker.key, track)
    },

    find: (key: string): Track | undefined => tracks.get(key),
    /** Those that were lost, the last one first. */
    lostOnes: (): ReadonlyArray<Track> =>
      [...tracks.values()].filter(({ lostAt }) => lostAt !== undefined).toSorted((a, b) =>
        (b.lostAt ?? 0) - (a.lostAt ?? 0)
      ),

    /** Values of the last 15 minutes, oldest first; null where nothing is known. The last step is the one that is open. */
    series({ counts, index, sums, values }: Track, measure: Measure): Array<number | null> {
      return Array.from({ length: size }, (_, i) => {
        const step = index - size + 1 + i
        if (step < 0) return null
        const value = step === index ? sums[measure] / counts[measure] : values[measure][step % size] as number
        return Number.isFinite(value) ? Number(value.toPrecision(4)) : null
      })
    },
    finished: ({ finished, index }: Track): Array<number> =>
      Array.from(
        { length: size },
        (_, i) => index - size + 1 + i < 0 ? 0 : finished[(index - size + 1 + i) % size] ?? 0
      ),
    from: ({ index }: Track): number => (index - size + 1) * stepMillis
  }
}
