/** The benchmark works: short, without peers, with the check that every task ran exactly once. And a guard of the speed. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { PlaneCost } from "../bench/planeCost.ts"

const bench = (name: string) => fileURLToPath(new URL(`../bench/${name}`, import.meta.url))

const run = async (args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] })
  let stdout = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text)
  const [code] = await once(child, "close") as [number | null]
  return { code, stdout }
}

interface Row {
  readonly name: string
  readonly exactlyOnce?: boolean
  readonly numbers: Readonly<Record<string, number>>
}

const measure = async (names: string, flags: ReadonlyArray<string>) => {
  const folder = mkdtempSync(join(tmpdir(), "fastworker-test-"))
  const file = join(folder, "report.json")
  try {
    const { code } = await run([bench("main.ts"), "--only", names, "--runs", "1", "--json", file, ...flags])
    assert.strictEqual(code, 0)
    const { measures } = JSON.parse(readFileSync(file, "utf8")) as { measures: Array<{ rows: Array<Row> }> }
    return measures.map(({ rows }) => rows)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("bench", () => {
  it("measures ours and the ceilings under the same loads, and that each task ran exactly once", async () => {
    const flags = ["--peers", "none", "--millis", "500", "--warm-up", "300"]
    const [rows = []] = await measure("open-loop", flags)

    assert.deepStrictEqual(rows.map(({ name }) => name), ["FastWorker", "node-nng", "node:net"])
    for (const { exactlyOnce, name, numbers } of rows) {
      assert.isTrue(exactlyOnce, name)
      assert.isAbove(numbers["maximum"] ?? 0, 0)
      assert.isAbove(numbers["p99"] ?? 0, 0)
    }
  }, 120_000)

  it("simulates 10,000 workers, whose tasks all run exactly once though a tenth of the workers is lost", async () => {
    const { stdout } = await run(["--expose-gc", bench("children/fleet.ts"), "10000", "50"])

    const { executions, mostLoaded, submitted } = JSON.parse(stdout) as Record<string, number>
    assert.isAbove(submitted ?? 0, 160_000)
    assert.strictEqual(executions, submitted)
    assert.strictEqual(mostLoaded, 1)
  }, 120_000)

  it("refuses a measure that there is not", async () => {
    assert.strictEqual((await run([bench("main.ts"), "--only", "speed"])).code, 2)
  })
})

describe("what a task costs the control plane", () => {
  const cost = async () => {
    const { stdout } = await run([bench("ControlPlane.ts"), "--seconds", "1", "--json"])
    return JSON.parse(stdout) as PlaneCost
  }

  /**
   * Times what parsing and printing lists of as many tasks costs in the same process, in the same moments. With the present
   * code it is 4.0 to 4.6 in hours when the machine has neighbours; a task that costs half as much again is above this bound.
   * When the code becomes faster, lower it.
   */
  const maxRatio = 5.8

  /** What else runs on the machine makes it larger, never smaller: the least of some tries is the code's own. */
  const tries = 5

  it("is a few times the CPU of parsing and printing it twice", async () => {
    let least = Infinity
    for (let i = 0; i < tries && least > maxRatio; i++) least = Math.min(least, (await cost()).ratio)

    assert.isAtMost(least, maxRatio)
  }, 120_000)

  /** With the present code 2,050 to 2,075 B, also on a busy machine. When the code needs less, lower it. */
  const maxBytes = 2_300

  it("is a bounded part of the heap, which the collector has to look at", async () => {
    const { allocated } = await cost()

    assert.isAbove(allocated, 500)
    assert.isAtMost(allocated, maxBytes)
  }, 120_000)
})
