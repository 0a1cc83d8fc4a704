/** What is bounded holds at its bound, in real processes. `npm run bounds` is the large form of it. */
import { assert, describe, it } from "@effect/vitest"
import { keptResults, largeArguments, silentConnections, uncollectedOutcomes, waitingTasks } from "./Bounds.ts"

describe("a control plane at its bounds", () => {
  it("refuses the task after the last that may wait, and runs all that it took", async () => {
    assert.match(await waitingTasks(20_000), /QueueFull/u)
  })

  it("keeps results up to its bytes, and says of the others that they are gone", async () => {
    assert.match(await keptResults(30, 100_000), /evicted/u)
  })

  it("serves others, old and new, while a thousand connections are silent", async () => {
    assert.match(await silentConnections(1_000), /old and new/u)
  })

  it("refuses arguments that are too large, frees what they took, and goes on", async () => {
    assert.match(await largeArguments(40_000_000, 2), /TooLarge/u)
  })

  it("refuses tasks whose outcomes nobody collects, and disturbs nobody else", async () => {
    assert.match(await uncollectedOutcomes(11, 10_000), /OutboxFull/u)
  }, 60_000)
})
