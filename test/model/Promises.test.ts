import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { explore, isFailure, replay, shrinkFailure } from "./Promises.ts"
import type { Tamper } from "./Server.ts"
import { print } from "./Shrink.ts"

/** A failing seed is printed with its smallest script: `SIM_SEED=7 npx vitest run test/model` runs that one alone. */
const only = process.env["SIM_SEED"]
const steps = Number(process.env["SIM_STEPS"] ?? 2_000)
const seeds = only === undefined ? Array.from({ length: 350 }, (_, i) => i + 1) : [Number(only)]

/** What never happened was never checked. */
const mustHappen = [
  "started",
  "started beside waiting handlers",
  "a lower priority went first",
  "a last chance",
  "adopted",
  "retrying",
  "requeued: worker lost",
  "requeued: crashed",
  "requeued: handed back",
  "prioritized: queued",
  "prioritized: delayed",
  "prioritized: running",
  "stopping: cancelled",
  "stopping: expired",
  "succeeded ",
  "failed error",
  "failed crash",
  "failed unknown",
  "cancelled ",
  "expired ",
  "a late report",
  "a unique key's period is over",
  "a schedule skipped",
  "refused by the journal",
  "unresponsive",
  "stood",
  "UniqueConflict",
  "IdConflict",
  "QueueFull",
  "OutboxFull",
  "TooLarge",
  "a copy of what was refused"
]

describe("promises", () => {
  it(`are kept over ${seeds.length} random scripts`, { timeout: 300_000 }, () => {
    let happened = 0
    const seen = new Set<string>()
    for (const seed of seeds) {
      const run = explore(seed, steps)
      if (isFailure(run)) {
        const script = shrinkFailure(run)
        assert.fail(`seed ${seed}: ${replay(script)?.message ?? run.message}\n${print(script)}`)
      }
      happened += run.happened
      for (const what of run.seen.keys()) seen.add(what)
    }

    assert.isAtLeast(happened, seeds.length * steps)
    if (only !== undefined) return
    assert.deepStrictEqual(mustHappen.filter((what) => !seen.has(what)), [])
  })

  it("are judged the same for the same seed", () => {
    const [first, second] = [explore(3, 500), explore(3, 500)]

    assert.deepStrictEqual(first, second)
  })
})

describe("shrinkFailure", () => {
  /** A control plane that says that a task is cancelled, and leaves it where it waits. */
  const forgetful: Tamper = (core) => ({
    ...core,
    cancel: (id, now) => core.task(id)?.state === "queued" ? Result.succeed("cancelled" as const) : core.cancel(id, now)
  })

  it("finds the few steps that break a promise among all those of a seed", () => {
    let seed = 1
    let found = explore(seed, 1_000, forgetful)
    while (!isFailure(found)) found = explore(++seed, 1_000, forgetful)

    const script = shrinkFailure(found, forgetful)

    assert.strictEqual(found.promise, "cancel works")
    assert.strictEqual(replay(script, true, forgetful)?.promise, "cancel works")
    assert.isUndefined(replay(script))
    // One submits, one cancels, and both messages arrive; seldom something more is left over.
    assert.isAtMost(script.steps.length, 20)
    assert.includeMembers(script.steps.map(({ t }) => t), ["submit", "ask", "up"])
  })
})
