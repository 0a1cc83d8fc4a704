import { assert, describe, it } from "@effect/vitest"
import type { TaskState as State } from "../../src/domain/TaskState.ts"
import { FinalState, isFinal, successors, TaskState, transition } from "../../src/domain/TaskState.ts"

/** Every step that a task may take; all others are refused. */
const allowed = new Set([
  "delayed queued",
  "delayed running",
  "delayed failed",
  "delayed cancelled",
  "delayed expired",
  "queued running",
  "queued failed",
  "queued cancelled",
  "queued expired",
  "running succeeded",
  "running failed",
  "running queued",
  "running delayed",
  "running cancelling",
  "running cancelled",
  "running expired",
  "cancelling succeeded",
  "cancelling failed",
  "cancelling cancelled",
  "cancelling expired"
])

describe("transition", () => {
  it.prop("allows the steps of the table and no other", { from: TaskState, to: TaskState }, ({ from, to }) => {
    assert.strictEqual(transition(from, to), allowed.has(`${from} ${to}`) ? to : undefined)
  }, { arbitrary: { runs: 500 } })

  it("has an entry for every pair", () => {
    const pairs = TaskState.literals.flatMap((from) => successors[from].map((to) => `${from} ${to}`))

    assert.deepStrictEqual(new Set(pairs), allowed)
    assert.strictEqual(pairs.length, allowed.size)
  })

  it("never leaves a final state", () => {
    for (const from of FinalState.literals) {
      for (const to of TaskState.literals) assert.isUndefined(transition(from, to))
    }
  })

  it("leads from each state to a final one", () => {
    const ends = (state: State, seen: ReadonlyArray<State>): boolean =>
      isFinal(state) || successors[state].some((next) => !seen.includes(next) && ends(next, [...seen, next]))

    for (const state of TaskState.literals) assert.isTrue(ends(state, [state]))
  })
})

describe("isFinal", () => {
  it("is the schema of final states", () => {
    assert.deepStrictEqual(TaskState.literals.filter(isFinal), [...FinalState.literals])
  })
})
