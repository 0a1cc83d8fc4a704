/** Drives a system at a fixed number of tasks in flight for a fixed time, and checks every result. */

/** What one run of one system says. Latencies in milliseconds, from submission to the checked result. */
export interface Sample {
  readonly tasks: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  readonly wrong: number
}

/** Latencies that are kept: enough for a p99, and bounded. */
const maxLatencies = 2_000_000

const percentile = (sorted: Float64Array, share: number) =>
  sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

/**
 * Keeps `inFlight` tasks on their way until the time is up, then waits for the last of them. Each task gets other
 * arguments, so that a result that belongs to another task is seen.
 */
export const drive = async (
  run: (x: number, y: number) => Promise<number>,
  { inFlight, millis, warmUpMillis }: {
    readonly inFlight: number
    readonly millis: number
    readonly warmUpMillis: number
  }
): Promise<Sample> => {
  const latencies = new Float64Array(maxLatencies)
  let kept = 0
  let next = 0
  let tasks = 0
  let wrong = 0
  const begin = performance.now()
  const from = begin + warmUpMillis
  const until = from + millis
  const lane = async () => {
    while (true) {
      const started = performance.now()
      if (started >= until) return
      const x = next++
      const sum = await run(x, 1)
      const ended = performance.now()
      if (sum !== x + 1) wrong++
      if (ended < from || ended > until) continue
      tasks++
      if (kept < maxLatencies) latencies[kept++] = ended - started
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  const sorted = latencies.subarray(0, kept).sort()
  return { tasks, seconds: millis / 1000, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), wrong }
}

/** The total number of tasks that a client ran is the last thing it says. */
export interface ClientReport {
  readonly samples: ReadonlyArray<Sample & { readonly inFlight: number; readonly controlPlaneMicros: number | null }>
  readonly submitted: number
}
