/** What the pages of tasks and errors work out of what they were told: pure functions, without a browser. */
import { assert, describe, it } from "@effect/vitest"
import { matching, sortedBy } from "../../src/dashboard/pages/errors/groups.ts"
import { blocksOf } from "../../src/dashboard/pages/tasks/detail/blocks.ts"
import { commandOf, rawOf, typescriptOf } from "../../src/dashboard/pages/tasks/detail/code.ts"
import { shareOf } from "../../src/dashboard/pages/tasks/detail/share.ts"
import { parseStack } from "../../src/dashboard/pages/tasks/detail/stack.ts"
import { headline, noCancel, noRetry } from "../../src/dashboard/pages/tasks/detail/states.ts"
import { stepOf, timelineOf } from "../../src/dashboard/pages/tasks/detail/timeline.ts"
import { parseViews } from "../../src/dashboard/pages/tasks/parseViews.ts"
import {
  addressOf,
  type Filter,
  filterOf,
  filterOfText,
  problemOf,
  queryOf,
  textOf,
  timeOf,
  wordsOf
} from "../../src/dashboard/pages/tasks/query.ts"
import type { ErrorGroup, TaskDetail } from "../../src/domain/View.ts"
import { makeRandom } from "../harness/random.ts"

const now = new Date(2026, 10, 22, 14, 19, 2).getTime()

describe("the filter of the list of tasks", () => {
  it("reads tokens and plain words", () => {
    assert.deepStrictEqual(filterOfText("status:failed type:webhook.* worker:fra declined \"two words\""), {
      state: "failed",
      type: "webhook.*",
      worker: "fra",
      q: "declined two words"
    })
    assert.deepStrictEqual(filterOfText("status:failed status:running,failed"), { state: "failed,running" })
    assert.deepStrictEqual(filterOfText("tag:a tag:b"), { tag: "b" })
    assert.deepStrictEqual(filterOfText(""), {})
  })

  it("knows states by the names that people see", () => {
    assert.deepStrictEqual(filterOfText("status:Scheduled,stopping"), { state: "delayed,cancelling" })
  })

  it("leaves out what is not typed to its end, and keeps what is wrong so that somebody says so", () => {
    assert.deepStrictEqual(filterOfText("status:fai priority:hi"), {})
    assert.deepStrictEqual(filterOfText("status:nonsense"), { state: "nonsense" })
  })

  it("says the same as text and as an address, whatever stands in it", () => {
    const next = makeRandom(7)
    const pick = <A>(values: ReadonlyArray<A>): A => values[Math.floor(next() * values.length)] as A
    for (let round = 0; round < 500; round++) {
      const filter: Record<string, string> = {}
      const maybe = (name: string, values: ReadonlyArray<string>) => {
        if (next() < 0.4) filter[name] = pick(values)
      }
      maybe("state", ["failed", "queued,running", "dead"])
      maybe("type", ["webhook.*", "a/b c", "x:y"])
      maybe("priority", ["high", "low,critical"])
      maybe("worker", ["wkr-fra-01", "a b"])
      maybe("tag", ["nightly", "two words", "k:v"])
      maybe("tenant", ["acme", "ö&=%"])
      maybe("id", ["01K9", "a:b"])
      maybe("since", ["1h", "14:30", "2026-11-22T14:18"])
      maybe("q", ["declined", "card was declined", "status of"])
      assert.deepStrictEqual(filterOfText(textOf(filter)), filter, textOf(filter))
      const search = Object.fromEntries(new URL(addressOf(filter, "oldest"), "http://localhost").searchParams)
      assert.deepStrictEqual<Filter>(filterOf(search), filter)
      assert.strictEqual(search["sort"], "oldest")
    }
  })

  it("writes milliseconds of an address as a time that is read again to the second", () => {
    const text = textOf({ since: String(now) })
    assert.strictEqual(text, "since:2026-11-22T14:19:02")
    assert.strictEqual(timeOf(filterOfText(text).since ?? "", now), now)
  })

  it("reads times that are so long ago, of a clock, of a day and exact ones", () => {
    assert.strictEqual(timeOf("90s", now), now - 90_000)
    assert.strictEqual(timeOf("1.5h", now), now - 5_400_000)
    assert.strictEqual(timeOf("14:00", now), new Date(2026, 10, 22, 14).getTime())
    assert.strictEqual(timeOf("23:00", now), new Date(2026, 10, 21, 23).getTime())
    assert.strictEqual(timeOf("2026-11-20", now), new Date(2026, 10, 20).getTime())
    assert.strictEqual(timeOf("2026-11-20T10:00Z", now), Date.UTC(2026, 10, 20, 10))
    assert.strictEqual(timeOf(String(now), now), now)
    for (const wrong of ["soon", "25:00", "1y", "2026-13-45T10:00", "1h ago"]) {
      assert.isUndefined(timeOf(wrong, now), wrong)
    }
  })

  it("asks with numbers, and says which time can't be read", () => {
    assert.deepStrictEqual(queryOf({ state: "failed", since: "1h" }, now), { state: "failed", since: now - 3_600_000 })
    assert.isUndefined(problemOf({ since: "1h", until: "5m" }, now))
    assert.include(problemOf({ until: "whenever" }, now), "whenever")
  })

  it("is said in words", () => {
    assert.strictEqual(wordsOf({}), "tasks")
    assert.strictEqual(
      wordsOf({ state: "failed", type: "webhook.deliver", tenant: "acme" }),
      "failed tasks of webhook.deliver that match tenant:acme"
    )
  })

  it("takes nothing but views from what a browser stored", () => {
    assert.deepStrictEqual(parseViews(null), [])
    assert.deepStrictEqual(parseViews("{"), [])
    assert.deepStrictEqual(parseViews("{\"name\":1}"), [])
    assert.deepStrictEqual(parseViews("[null, 1, {\"name\":\"a\"}, {\"name\":\"a\",\"search\":\"?state=failed\"}]"), [
      { name: "a", search: "?state=failed" }
    ])
  })
})

describe("the attempts of a task on one axis", () => {
  const attempt = (attempt: number, startedAt: number, endedAt?: number) => ({
    attempt,
    startedAt,
    ...endedAt === undefined ? {} : { endedAt },
    state: endedAt === undefined ? "running" as const : "failed" as const
  })
  const task = {
    submittedAt: 1_000,
    path: [
      { state: "queued" as const, at: 1_000 },
      { state: "running" as const, at: 2_000 },
      { state: "delayed" as const, at: 4_000 },
      { state: "queued" as const, at: 8_000 },
      { state: "running" as const, at: 9_000 }
    ],
    attempts: [attempt(1, 2_000, 4_000), attempt(2, 9_000)]
  }

  it("tells waiting from running, and leaves the pause between two attempts empty", () => {
    const timeline = timelineOf(task, 11_000)
    assert.strictEqual(timeline?.millis, 10_000)
    assert.deepStrictEqual(timeline?.rows.map(({ run, wait }) => ({ run, wait })), [
      { wait: { from: 0, size: 0.1 }, run: { from: 0.1, size: 0.2 } },
      { wait: { from: 0.7, size: 0.1 }, run: { from: 0.8, size: 0.2 } }
    ])
    assert.deepStrictEqual(timeline?.rows.map(({ runMillis, waitMillis }) => [waitMillis, runMillis]), [
      [1_000, 2_000],
      [1_000, 2_000]
    ])
    assert.deepStrictEqual(timeline?.ticks.map(({ millis }) => millis), [0, 2_000, 4_000, 6_000, 8_000, 10_000])
  })

  it("has no axis without attempts, and stays within it when clocks disagree", () => {
    assert.isUndefined(timelineOf({ ...task, attempts: [] }, 11_000))
    const skewed = timelineOf({ ...task, attempts: [attempt(1, 12_000)] }, 11_000)
    for (const { run, wait } of skewed?.rows ?? []) {
      for (const bar of [run, ...wait === undefined ? [] : [wait]]) {
        assert.isAtLeast(bar.from, 0)
        assert.isAtMost(bar.from + bar.size, 1)
        assert.isAtLeast(bar.size, 0)
      }
    }
  })

  it("has at most seven ticks at any length", () => {
    for (let millis = 1; millis < 1e10; millis *= 3) assert.isAtMost(millis / stepOf(millis), 6)
  })
})

describe("the stack of an error", () => {
  it("keeps frames of the program apart from those of libraries, in their order", () => {
    const { groups, head } = parseStack(
      [
        "TimeoutError: took longer",
        "than 10 s",
        "    at deliver (file:///app/src/webhook.ts:84:13)",
        "    at processTicksAndRejections (node:internal/process/task_queues:105:5)",
        "    at FiberImpl.runLoop (/app/node_modules/effect/dist/effect.js:512:38)",
        "    at async /app/src/index.ts:12:3"
      ].join("\n")
    )
    assert.strictEqual(head, "TimeoutError: took longer\nthan 10 s")
    assert.deepStrictEqual(groups.map(({ frames, isOwn }) => [isOwn, frames.map(({ call, place }) => [call, place])]), [
      [true, [["deliver", "/app/src/webhook.ts:84:13"]]],
      [false, [
        ["processTicksAndRejections", "node:internal/process/task_queues:105:5"],
        ["FiberImpl.runLoop", "/app/node_modules/effect/dist/effect.js:512:38"]
      ]],
      [true, [["", "async /app/src/index.ts:12:3"]]]
    ])
  })

  it("is its head when it has no frames", () => {
    assert.deepStrictEqual(parseStack("Error: <b>at home</b>"), { head: "Error: <b>at home</b>", groups: [] })
  })
})

describe("a task as code", () => {
  const task = { name: "it's", priority: "high" as const, tags: ["a b", "c"], tenant: "acme" }

  it("is a command that no shell reads anything else out of", () => {
    assert.strictEqual(
      commandOf(task, "{\"x\":\"$(rm -rf /) 'q'\"}"),
      "fastworker submit 'it'\\''s' '{\"x\":\"$(rm -rf /) '\\''q'\\''\"}' --priority high --tag 'a b' --tag c --tenant acme"
    )
    assert.strictEqual(commandOf({ name: "add", priority: "normal" }, "1"), "fastworker submit add 1")
  })

  it("is TypeScript with the arguments as they were sent", () => {
    const code = typescriptOf(task, "{\"id\":9007199254740993123}")
    assert.include(code, "Task.untyped(\"it's\")")
    assert.include(
      code,
      "{\n  \"id\": 9007199254740993123\n}, { priority: \"high\", tags: [\"a b\", \"c\"], tenant: \"acme\" })"
    )
    assert.notInclude(typescriptOf({ name: "add", priority: "normal" }, "{}"), "priority")
  })

  it("is JSON in which long numbers keep all their digits", () => {
    const args = { text: "{\"id\":9007199254740993123}", size: 26, truncated: false }
    const raw = rawOf({
      id: "a",
      args,
      none: undefined,
      attempts: [{ failure: { payload: { ...args, truncated: true } } }]
    })
    assert.include(raw, "\"args\":{\"id\":9007199254740993123}")
    assert.doesNotThrow(() => JSON.parse(raw))
    assert.notInclude(raw, "none")
  })
})

describe("the state of a task in words", () => {
  const detail = (state: TaskDetail["state"], rest: Partial<TaskDetail> = {}) =>
    ({ state, attempt: 1, can: { cancel: false, retry: false }, ...rest }) as TaskDetail

  it("counts attempts where there was more than one", () => {
    assert.strictEqual(headline(detail("failed", { attempt: 3 })), "Failed after 3 attempts")
    assert.strictEqual(headline(detail("failed")), "Failed")
    assert.strictEqual(headline(detail("running", { attempt: 2 })), "Running, attempt 2")
    assert.strictEqual(headline(detail("delayed", { retrying: true })), "Retrying after 1 attempt")
  })

  it("says why something can't be done", () => {
    assert.isUndefined(noRetry(detail("failed", { can: { cancel: false, retry: true } })))
    assert.include(noRetry(detail("failed", { retriedAs: ["b"] })), "already")
    assert.include(noRetry(detail("running")), "not finished")
    assert.include(noCancel(detail("cancelling")), "already")
    assert.include(noCancel(detail("succeeded")), "finished")
  })

  it("reads how far it is out of what a handler says", () => {
    const share = (text: string) => shareOf({ text, truncated: false })
    assert.strictEqual(share("0.4"), 0.4)
    assert.strictEqual(share("40"), 0.4)
    assert.strictEqual(share("{\"done\":30,\"total\":120}"), 0.25)
    assert.strictEqual(share("{\"percent\":150}"), 1)
    for (const nothing of ["-1", "{}", "\"copying\"", "{\"done\":1}", "{\"done\":1,\"total\":0}", "{", "null"]) {
      assert.isUndefined(share(nothing), nothing)
    }
  })

  it("loses nothing of a long text", () => {
    const text = JSON.stringify({ long: "x".repeat(25_000), rows: Array.from({ length: 500 }, (_, id) => ({ id })) })
    const blocks = blocksOf(text)
    assert.isAbove(blocks.length, 10)
    assert.strictEqual(blocks.join("").replaceAll(/\s/gu, ""), text)
  })
})

describe("groups of errors", () => {
  const group = (key: string, rest: Partial<ErrorGroup>): ErrorGroup => ({
    key,
    name: "webhook.deliver",
    reason: "error",
    type: "TimeoutError",
    message: "took long",
    count: 1,
    retried: 0,
    total: 1,
    firstAt: 0,
    lastAt: 0,
    series: [],
    isNew: false,
    isRising: false,
    sample: "a",
    workers: ["fra"],
    retryable: 0,
    ...rest
  })
  const groups = [
    group("a", { count: 5, lastAt: 1, firstAt: 9, isNew: true }),
    group("b", { count: 9, lastAt: 2, name: "billing.charge", message: "Card declined", workers: ["ams", "fra"] }),
    group("c", { count: 9, lastAt: 3, isRising: true })
  ]
  const keys = (found: ReadonlyArray<ErrorGroup>) => found.map(({ key }) => key).join("")

  it("are found by words, type, worker and what is special", () => {
    assert.strictEqual(keys(matching(groups, "")), "abc")
    assert.strictEqual(keys(matching(groups, "DECLINED card")), "b")
    assert.strictEqual(keys(matching(groups, "type:webhook.*")), "ac")
    assert.strictEqual(keys(matching(groups, "worker:ams")), "b")
    assert.strictEqual(keys(matching(groups, "is:new")), "a")
    assert.strictEqual(keys(matching(groups, "is:rising timeout")), "c")
  })

  it("are sorted, the ones seen last first among equals", () => {
    assert.strictEqual(keys(sortedBy(groups, "count")), "cba")
    assert.strictEqual(keys(sortedBy(groups, "last")), "cba")
    assert.strictEqual(keys(sortedBy(groups, "first")), "acb")
  })
})
