import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fromLevel } from "../../src/domain/Priority.ts"
import * as View from "../../src/domain/View.ts"
import type { TaskQuery } from "../../src/services/History.ts"
import { makeRandom } from "../harness/random.ts"
import type { Plane } from "./histories.ts"
import { live, makePlane, typeNames } from "./histories.ts"

const isRow = Schema.is(View.TaskRow)

/** What is known of a task, by a look at everything. */
interface Known extends View.TaskRow {
  readonly retrying: boolean
  readonly group: string | undefined
  readonly isDead: boolean
}

/** Every task, alive or finished, one by one. */
const everyTask = Effect.fnUntraced(function*(plane: Plane) {
  const ids = new Set([...[...plane.core.tasks()].map(({ id }) => id), ...plane.outcomes.keys()])
  const known: Array<Known> = []
  for (const id of ids) {
    const { errorGroup, ...detail } = yield* plane.history.task(id)
    known.push({
      ...detail,
      retrying: detail.retrying === true,
      group: errorGroup,
      isDead: plane.core.dead.get(id) !== undefined
    })
  }
  return known
})

const glob = (pattern: string) =>
  new RegExp(`^${pattern.split("*").map((part) => part.replaceAll(/[.\\]/gu, "\\$&")).join(".*")}$`, "u")

/** Whether a task is meant, as the words of the API say it. */
const isMeant = (query: TaskQuery, task: Known): boolean => {
  const anyOf = (list: string | undefined, is: (item: string) => boolean) =>
    list === undefined || list.split(",").some(is)
  return anyOf(query.state, (state) =>
    state === "retrying"
      ? task.retrying
      : state === "waiting"
      ? task.state === "delayed" || task.state === "queued"
      : state === "dead"
      ? task.isDead
      : task.state === state) &&
    anyOf(query.type, (pattern) => glob(pattern).test(task.name)) &&
    anyOf(query.priority, (priority) => task.priority === priority) &&
    anyOf(query.worker, (worker) => task.worker === worker) &&
    (query.tag === undefined || task.tags?.includes(query.tag) === true) &&
    (query.tenant === undefined || task.tenant === query.tenant) &&
    (query.schedule === undefined || task.schedule === query.schedule) &&
    anyOf(query.error, (key) => task.group === key) &&
    (query.id === undefined || task.id.startsWith(query.id)) &&
    (query.q ?? "").toLowerCase().split(" ").every((word) =>
      `${task.id}\n${task.name}\n${task.error ?? ""}`.toLowerCase().includes(word)
    ) &&
    (query.since === undefined || task.submittedAt >= query.since) &&
    (query.until === undefined || task.submittedAt < query.until)
}

const randomQuery = (random: () => number, all: ReadonlyArray<Known>): TaskQuery => {
  const pick = <A>(items: ReadonlyArray<A>): A => items[Math.floor(random() * items.length)] as A
  const maybe = (share: number, make: () => TaskQuery): TaskQuery => random() < share ? make() : {}
  const states = ["queued", "delayed", "running", "cancelling", "succeeded", "failed", "cancelled", "expired"]
  const some = pick(all)
  return {
    ...maybe(0.5, () => ({
      state: Array.from(
        { length: 1 + Math.floor(random() * 2) },
        () => pick([...states, "retrying", "waiting", "dead"])
      )
        .join(",")
    })),
    ...maybe(0.3, () => ({ type: pick([...typeNames, "mail.*", "*", "*.send,report", "*o*", "none", "mail*send"]) })),
    ...maybe(0.2, () => ({ priority: pick(["critical", "high,low", "normal"]) })),
    ...maybe(0.2, () => ({ worker: pick(["w1", "w2", "w1,w3", "w9"]) })),
    ...maybe(0.1, () => ({ tag: pick(["a", "b", "c"]) })),
    ...maybe(0.1, () => ({ tenant: pick(["x", "z"]) })),
    ...maybe(0.1, () => ({ schedule: "s1" })),
    ...maybe(0.15, () => ({ error: all.find(({ group }) => group !== undefined)?.group ?? "nothing" })),
    ...maybe(0.1, () => ({ id: some.id.slice(0, 28 + Math.floor(random() * 4)) })),
    ...maybe(0.15, () => ({ q: pick(["mail", "declined", "Down connect", some.id.slice(-3), "zzz"]) })),
    ...maybe(0.15, () => ({ since: some.submittedAt })),
    ...maybe(0.15, () => ({ until: some.submittedAt }))
  }
}

/** All pages of a list. `between` happens between two of them. */
const allPages = Effect.fnUntraced(function*(
  plane: Plane,
  query: TaskQuery,
  sort: "newest" | "oldest" | "changed",
  limit: number,
  between: () => void = () => {}
) {
  const rows: Array<View.TaskRow> = []
  let cursor: string | undefined
  do {
    const page = yield* plane.history.list(query, { sort, limit, cursor })
    assert.isAtMost(page.tasks.length, limit)
    rows.push(...page.tasks)
    cursor = page.next ?? undefined
    if (cursor !== undefined) between()
  } while (cursor !== undefined)
  return rows
})

const idsOf = (rows: ReadonlyArray<{ readonly id: string }>) => rows.map(({ id }) => id).sort()

describe("history lists", () => {
  it.live("show what a look at everything finds, in order and in pages, over random lives and queries", () =>
    Effect.gen(function*() {
      for (let seed = 1; seed <= 12; seed++) {
        const random = makeRandom(seed)
        const plane = makePlane({ resultCacheSize: 10_000 })
        live(plane, random, 500)
        const all = yield* everyTask(plane)
        for (let i = 0; i < 40; i++) {
          const query = randomQuery(random, all)
          const meant = all.filter((task) => isMeant(query, task))
          const what = `seed ${seed}: ${JSON.stringify(query)}`

          for (const sort of ["newest", "oldest", "changed"] as const) {
            const rows = yield* allPages(plane, query, sort, 1 + Math.floor(random() * 30))
            assert.deepStrictEqual(idsOf(rows), idsOf(meant), `${what}, ${sort}`)
            assert.isTrue(rows.every((row) => isRow(row)))
            const times = rows.map(({ submittedAt }) => submittedAt)
            if (sort === "newest") assert.deepStrictEqual(times, times.toSorted((a, b) => b - a))
            if (sort === "oldest") assert.deepStrictEqual(times, times.toSorted((a, b) => a - b))
            const changed = rows.flatMap(({ finishedAt }) => finishedAt ?? [])
            if (sort === "changed") assert.deepStrictEqual(changed, changed.toSorted((a, b) => b - a))
          }

          const after = all[Math.floor(random() * all.length)]?.submittedAt ?? 0
          const counts = yield* plane.history.counts(query, after)
          const { state: _, ...stateless } = query
          const ofAnyState = all.filter((task) => isMeant(stateless, task))
          assert.strictEqual(counts.total, meant.length, what)
          assert.strictEqual(counts.newer, meant.filter(({ submittedAt }) => submittedAt > after).length, what)
          for (const [state, count] of Object.entries(counts.states)) {
            const expected = ofAnyState.filter((task) => state === "retrying" ? task.retrying : task.state === state)
            assert.strictEqual(count, expected.length, `${what}, ${state}`)
          }
        }
      }
    }))

  it.live("show every task that was there once, whatever happens between two pages", () =>
    Effect.gen(function*() {
      for (let seed = 1; seed <= 15; seed++) {
        const random = makeRandom(seed)
        const plane = makePlane()
        live(plane, random, 400)
        for (const sort of ["newest", "oldest"] as const) {
          const before = yield* everyTask(plane)

          const rows = yield* allPages(plane, {}, sort, 7, () => live(plane, random, 20))

          const shown = new Set(idsOf(rows))
          assert.strictEqual(shown.size, rows.length, `seed ${seed}: one is shown twice`)
          assert.deepStrictEqual(before.filter(({ id }) => !shown.has(id)), [], `seed ${seed}: one is missing`)
        }
      }
    }))

  it.live("know tasks by their ids, and leave out those that are not known", () =>
    Effect.gen(function*() {
      const plane = makePlane()
      live(plane, makeRandom(3), 300)
      const all = yield* everyTask(plane)
      const ids = idsOf(all).slice(0, 50)

      const rows = yield* plane.history.lookup([...ids, "nobody"])

      assert.deepStrictEqual(rows.map(({ id }) => id), ids)
      assert.strictEqual((yield* Effect.flip(plane.history.task("nobody")))._tag, "TaskNotFound")
    }))

  it.live("refuse what they can't read, with a sentence", () =>
    Effect.gen(function*() {
      const plane = makePlane()
      for (let i = 0; i < 5; i++) plane.submit("report")
      const { next } = yield* plane.history.list({}, { limit: 2 })
      const refusals = yield* Effect.all([
        Effect.flip(plane.history.list({ state: "faild" })),
        Effect.flip(plane.history.counts({ priority: "urgent" })),
        Effect.flip(plane.history.list({}, { cursor: "nonsense" })),
        Effect.flip(plane.history.list({}, { cursor: next ?? "", sort: "oldest" })),
        Effect.flip(plane.history.list({}, { cursor: (next ?? "").replace(".eeeeeeee.", ".ffffffff.") }))
      ])

      assert.deepStrictEqual(refusals.map(({ reason }) => reason), [
        `"faild" is not a state: write delayed, queued, running, cancelling, succeeded, failed, cancelled, expired, retrying, waiting, dead`,
        `"urgent" is not a priority: write critical, high, normal, low`,
        "the cursor is not one of such a list: begin the list again",
        "the cursor is not one of such a list: begin the list again",
        "the control plane was restarted since: begin the list again"
      ])
    }))

  it.live("show the living alone when no history is kept", () =>
    Effect.gen(function*() {
      const plane = makePlane({ maxHistory: 0 })
      live(plane, makeRandom(5), 300)

      const { tasks } = yield* plane.history.list({}, { limit: 1_000 })

      assert.deepStrictEqual(idsOf(tasks), idsOf([...plane.core.tasks()]))
      assert.isAbove(plane.outcomes.size, 0)
    }))

  it.live("tell the priority that a task has", () =>
    Effect.gen(function*() {
      const plane = makePlane()
      for (const level of [0, 1, 2, 3] as const) plane.submit("report", { level })

      const { tasks } = yield* plane.history.list({}, { sort: "oldest" })

      assert.deepStrictEqual(
        tasks.map(({ priority }) => priority).sort(),
        [0, 1, 2, 3].map((l) => fromLevel(l as 0)).sort()
      )
    }))
})
