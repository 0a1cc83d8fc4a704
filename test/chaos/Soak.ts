/**
 * Many tasks through one control plane, one worker and one client, and their memory over time: what leaks grows. Each is
 * sampled after a garbage collection, when nothing is on its way.
 */
import { FastWorker } from "fastworker/promise"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Cluster, eventually } from "../harness/Cluster.ts"
import { add } from "./bounded.ts"
import { type Sample, takeSample } from "./sample.ts"

export const roles = ["control plane", "worker", "client"] as const
export type Samples = Readonly<Record<(typeof roles)[number], Sample>>

export interface Point extends Samples {
  readonly tasks: number
  readonly perSecond: number
}

const sampler = new URL("sample.ts", import.meta.url)
const taskFile = fileURLToPath(new URL("bounded.ts", import.meta.url))

/** Tasks on their way at a time. */
const inFlight = 500

/** Runs `tasks` tasks and tells the state of all three each `step` tasks. */
export const soak = async (
  { onPoint, step, tasks }: {
    readonly tasks: number
    readonly step: number
    readonly onPoint?: (point: Point) => void
  }
): Promise<ReadonlyArray<Point>> => {
  const folder = mkdtempSync(join(tmpdir(), "fastworker-soak-"))
  const file = join(folder, "samples")
  const env = { NODE_OPTIONS: `--import ${sampler.href}`, SOAK_SAMPLES: file }
  try {
    await using cluster = await Cluster.make()
    // Bounds that are reached early: what is kept on purpose does not grow after that.
    const bounded = ["--result-cache-size", "1000"]
    const plane = await cluster.controlPlane(bounded, env)
    const worker = await cluster.worker(["--id", "soak", "--concurrency", "256", "--tasks", taskFile], env)
    await using client = await FastWorker.connect({ controlPlane: plane.ready.address })

    const linesOf = (pid: number) =>
      existsSync(`${file}.${pid}`) ? readFileSync(`${file}.${pid}`, "utf8").trimEnd().split("\n") : []
    const sampleOf = async ({ pid, signal }: Pick<typeof plane, "pid" | "signal">) => {
      const before = linesOf(pid).length
      signal("SIGUSR2")
      const line = await eventually("a sample", () => linesOf(pid)[before])
      return JSON.parse(line) as Sample
    }
    const runSome = async (from: number, count: number) => {
      let next = from
      const one = async () => {
        while (next < from + count) {
          const x = next++
          const sum = await client.run(add, { x, y: 1 })
          if (sum !== x + 1) throw new Error(`${x} + 1 is not ${sum}`)
        }
      }
      await Promise.all(Array.from({ length: inFlight }, one))
    }

    const points: Array<Point> = []
    for (let done = 0; done < tasks; done += step) {
      const startedAt = performance.now()
      await runSome(done, step)
      const seconds = (performance.now() - startedAt) / 1_000
      const point: Point = {
        tasks: done + step,
        perSecond: step / seconds,
        "control plane": await sampleOf(plane),
        worker: await sampleOf(worker),
        client: takeSample()
      }
      points.push(point)
      onPoint?.(point)
    }
    return points
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** How much the last third may be above the middle third. */
const maxGrowth = 1.1

const mean = (numbers: ReadonlyArray<number>) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length

/** What has grown from the middle third of the samples to the last: what leaks does so for ever. */
export const growthOf = (points: ReadonlyArray<Point>): ReadonlyArray<string> => {
  const third = Math.floor(points.length / 3)
  const middle = points.slice(third, points.length - third)
  const last = points.slice(points.length - third)
  return roles.flatMap((role) =>
    (["heapBytes", "handles"] as const).flatMap((what) => {
      const [before, after] = [middle, last].map((part) => mean(part.map((point) => point[role][what])))
      return before === undefined || after === undefined || after <= before * maxGrowth
        ? []
        : [`${what} of the ${role} grew from ${before.toFixed(0)} to ${after.toFixed(0)}`]
    })
  )
}
