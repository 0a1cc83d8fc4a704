/** The benchmark works: short, without a peer, with the check that every task ran exactly once. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

const bench = fileURLToPath(new URL("../bench/main.ts", import.meta.url))

describe("bench", () => {
  it("reports every number of tasks in flight, and that each task ran exactly once", async () => {
    const child = spawn(
      process.execPath,
      [bench, "--json", "--only", "fastworker", "--runs", "1", "--millis", "1000", "--warm-up", "500"],
      { stdio: ["ignore", "pipe", "ignore"] }
    )
    let stdout = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text)
    const [code] = await once(child, "close") as [number | null]

    assert.strictEqual(code, 0)
    const { results } = JSON.parse(stdout) as {
      results: Array<
        { system: string; exactlyOnce: boolean; submitted: number; measures: Array<Record<string, number>> }
      >
    }
    assert.strictEqual(results.length, 1)
    assert.deepInclude(results[0], { system: "FastWorker", exactlyOnce: true })
    assert.deepStrictEqual(results[0]?.measures.map(({ inFlight }) => inFlight), [1, 64, 1_024])
    for (const measure of results[0]?.measures ?? []) assert.isAbove(measure["tasksPerSecond"] ?? 0, 0)
  }, 120_000)
})
