/** The metrics: that they can be read, are named as Prometheus wants them, and say what the API says. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Task } from "../../src/index.ts"
import { ask, startDashboard } from "../harness/Dashboard.ts"
import { newFile } from "../harness/Journals.ts"
import type { Exposition } from "../harness/Prometheus.ts"
import { hasPrometheus, parse, promtool, startPrometheus, valueOf } from "../harness/Prometheus.ts"
import { startClient, startWorker } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"
import { file, startPlane } from "./Plane.ts"
import { fail, hold, succeed } from "./tasks.ts"

const ops = (path: string) => fileURLToPath(new URL(`../../ops/${path}`, import.meta.url))

const strange = "strange \"name\\ with {everything},= \u2713"

const good = Task.define("good", { run: () => Effect.void })
const odd = Task.define(strange, { run: () => Effect.void })
const bad = Task.define("bad", { run: () => Effect.die(new Error("no")) })
const flaky = Task.define("flaky", {
  error: Schema.String,
  retry: { attempts: 3, schedule: Schedule.spaced("1 milli") },
  run: () => Effect.fail("not yet")
})
const endless = Task.define("endless", { priority: "low", run: () => Effect.never })

const read = (origin: string) => Effect.map(ask(origin, "/metrics"), ({ text }) => parse(text))

/** A control plane on which something of everything has happened, and which is calm now. */
const startBusy = Effect.gen(function*() {
  const dashboard = yield* startDashboard()
  const { plane } = dashboard
  const handlers = Layer.mergeAll(good.layer, odd.layer, bad.layer, flaky.layer, endless.layer)
  yield* startWorker(plane, handlers, { id: "one", concurrency: 2 })
  const client = yield* startClient(plane)
  for (let i = 0; i < 20; i++) yield* client.run(good)
  yield* client.run(odd)
  for (let i = 0; i < 3; i++) yield* Effect.exit(client.run(bad))
  yield* Effect.exit(client.run(flaky))
  yield* client.delay(good, {}, { in: "1 hour" })
  const cancelled = yield* client.delay(good, {}, { in: "1 hour" })
  yield* cancelled.cancel
  for (let i = 0; i < 5; i++) yield* client.delay(endless)
  yield* until("both slots are busy", Effect.map(plane.stats, ({ running }) => running === 2))
  return dashboard
})

const isHistogramPart = (name: string, types: Exposition["types"]) =>
  types.get(name.replace(/_(?:bucket|sum|count)$/u, "")) === "histogram"

describe("metrics", () => {
  it.live(
    "are text that parses, with a help, a type and a unit, named by the conventions",
    () =>
      Effect.gen(function*() {
        const { origin } = yield* startBusy
        const { headers, status, text } = yield* ask(origin, "/metrics")
        assert.strictEqual(status, 200)
        assert.strictEqual(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        const { helps, series, types } = parse(text)

        assert.deepStrictEqual([...helps.keys()], [...types.keys()])
        for (const [name, type] of types) {
          assert.match(name, /^(?:fastworker|process|nodejs)_[a-z_]+$/u)
          assert.strictEqual(name.endsWith("_total"), type === "counter", name)
          assert.match(helps.get(name) ?? "", /^[A-Z1].*\.$/u)
          assert.notMatch(name, /milli|micro|kilo|mega|percent/u)
        }
        for (const { name } of series) assert.isTrue(types.has(name) || isHistogramPart(name, types), name)
        const keys = series.map(({ labels, name }) => JSON.stringify([name, labels]))
        assert.strictEqual(new Set(keys).size, keys.length)
        const labels = new Set(series.flatMap(({ labels }) => Object.keys(labels)))
        assert.sameMembers([...labels], [
          "version",
          "node",
          "namespace",
          "priority",
          "state",
          "type",
          "outcome",
          "reason",
          "result",
          "le"
        ])
        if (hasPrometheus) assert.notInclude(yield* promtool(["check", "metrics"], text), "error")
      }),
    30_000
  )

  it.live("say what the API says", () =>
    Effect.gen(function*() {
      const { origin, plane } = yield* startBusy
      const stats = yield* plane.stats
      const metrics = yield* read(origin)
      const value = (name: string, labels: Readonly<Record<string, string>> = {}) => valueOf(metrics, name, labels)

      assert.strictEqual(value("fastworker_tasks_submitted_total"), stats.submitted)
      for (const outcome of ["succeeded", "failed", "cancelled", "expired"] as const) {
        assert.strictEqual(value("fastworker_tasks_finished_total", { outcome }), stats[outcome], outcome)
      }
      for (const [priority, waiting] of Object.entries(stats.waitingByPriority)) {
        assert.strictEqual(value("fastworker_queue_tasks", { priority }), waiting, priority)
      }
      assert.strictEqual(value("fastworker_task_retries_total"), stats.retries)
      assert.strictEqual(value("fastworker_waiting_tasks"), stats.waiting)
      assert.strictEqual(value("fastworker_waiting_bytes"), stats.waitingBytes)
      assert.strictEqual(value("fastworker_delayed_tasks"), stats.delayed)
      assert.strictEqual(value("fastworker_running_tasks"), stats.running)
      assert.strictEqual(value("fastworker_crashes_total"), stats.crashes)
      assert.strictEqual(value("fastworker_late_reports_total"), stats.lateReports)
      assert.strictEqual(value("fastworker_dead_tasks"), stats.dead)
      assert.strictEqual(value("fastworker_sessions"), stats.sessions)
      assert.strictEqual(value("fastworker_result_cache_outcomes"), stats.results)
      assert.strictEqual(value("fastworker_workers", { state: "active" }), 1)
      assert.strictEqual(value("fastworker_workers"), stats.workers)
      assert.strictEqual(value("fastworker_worker_slots"), 2)
      assert.strictEqual(value("fastworker_worker_busy_slots"), 2)

      assert.strictEqual(value("fastworker_tasks_finished_total", { type: strange, outcome: "succeeded" }), 1)
      assert.strictEqual(value("fastworker_attempts_started_total", { type: "flaky" }), 3)
      assert.strictEqual(value("fastworker_task_retries_total", { type: "flaky" }), 2)
      assert.strictEqual(value("fastworker_attempts_failed_total", { reason: "error" }), 3)
      assert.strictEqual(value("fastworker_attempts_failed_total", { reason: "defect" }), 3)
      // What runs is counted when it has ended, what waited when it has started.
      assert.strictEqual(value("fastworker_task_run_duration_seconds_count"), 20 + 1 + 3 + 3)
      assert.strictEqual(value("fastworker_task_wait_duration_seconds_count"), 20 + 1 + 3 + 3 + 2)
      assert.strictEqual(value("fastworker_ready"), 1)
    }), 30_000)

  it.live(
    "have histograms whose buckets rise to their count, and whose sum is what they took",
    () =>
      Effect.gen(function*() {
        const { origin } = yield* startBusy
        const metrics = yield* read(origin)
        for (const name of ["fastworker_task_wait_duration_seconds", "fastworker_task_run_duration_seconds"]) {
          for (const type of ["good", "bad", "flaky", strange]) {
            const buckets = metrics.series.filter(({ labels, name: of }) =>
              of === `${name}_bucket` && labels["type"] === type
            )
            const bounds = buckets.map(({ labels }) => Number((labels["le"] ?? "").replace("+Inf", "Infinity")))
            assert.deepStrictEqual(bounds, bounds.toSorted((a, b) => a - b))
            assert.strictEqual(bounds.at(-1), Infinity)
            const values = buckets.map(({ value }) => value)
            assert.deepStrictEqual(values, values.toSorted((a, b) => a - b))
            const count = valueOf(metrics, `${name}_count`, { type })
            assert.strictEqual(values.at(-1), count)
            assert.isAbove(count, 0)
            // Each is between the bounds of its bucket.
            const least = buckets.reduce(
              (sum, { value }, i) => sum + (value - (values[i - 1] ?? 0)) * (bounds[i - 1] ?? 0),
              0
            )
            assert.isAtLeast(valueOf(metrics, `${name}_sum`, { type }), least)
          }
        }
      }),
    30_000
  )

  it.live("are told apart from changes: only read, and not by a page from elsewhere", () =>
    Effect.gen(function*() {
      const { origin } = yield* startDashboard()
      assert.strictEqual((yield* ask(origin, "/metrics", { method: "POST" })).status, 405)
      assert.strictEqual((yield* ask(origin, "/metrics", { headers: { host: "evil.example" } })).status, 403)
      assert.strictEqual((yield* ask(origin, "/metrics", { method: "HEAD" })).text, "")
    }))

  it.skipIf(!hasPrometheus)(
    "promtool accepts the alert rules (skipped where Prometheus is not installed)",
    async () => {
      assert.include(await Effect.runPromise(promtool(["check", "rules", ops("prometheus/alerts.yml")])), "SUCCESS")
    }
  )

  it.live.skipIf(!hasPrometheus)(
    "every query of the Grafana dashboard and every alert finds something in a Prometheus that scraped a busy control plane (skipped where Prometheus is not installed)",
    () =>
      Effect.gen(function*() {
        const { client, cluster, plane, url } = yield* startPlane(["--journal", yield* newFile])
        const worker = ["--tasks", file("tasks.ts"), "--control-plane", plane.ready.workerAddress]
        yield* Effect.promise(() => cluster.worker(worker))
        const rules = ops("prometheus/alerts.yml")
        const prometheus = yield* startPrometheus([new URL(url).host], [rules])
        const load = yield* Effect.gen(function*() {
          yield* client.run(succeed)
          yield* Effect.exit(client.run(fail))
          yield* Effect.sleep("20 millis")
        }).pipe(Effect.forever, Effect.forkChild)
        yield* client.delay(hold)
        yield* client.delay(succeed, {}, { in: "1 hour" })

        const dashboard = JSON.parse(readFileSync(ops("grafana/fastworker.json"), "utf8")) as {
          readonly panels: ReadonlyArray<{
            readonly title: string
            readonly targets?: ReadonlyArray<{ readonly expr: string }>
          }>
        }
        const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
        assert.isAbove(queries.length, 40)
        const filledIn = (expression: string) =>
          expression.replaceAll("$__rate_interval", "10s").replaceAll("$instance", ".*").replaceAll("$type", ".*")
        const isNumber = ({ value: [, value] }: { readonly value: readonly [number, string] }) =>
          Number.isFinite(Number(value))
        for (const query of queries) {
          assert.notMatch(filledIn(query), /\$/u)
          yield* until(
            `Prometheus has an answer to ${query}`,
            Effect.map(prometheus.query(filledIn(query)), (found) => found.length > 0 && found.every(isNumber)),
            30_000
          )
        }
        // No alert is raised by a control plane that is well, and what each alert looks at is there.
        const { data } = yield* prometheus.ask("/api/v1/rules")
        const groups = (data as {
          readonly groups: ReadonlyArray<{
            readonly rules: ReadonlyArray<{
              readonly name: string
              readonly query: string
              readonly health: string
              readonly state: string
              readonly lastError?: string
            }>
          }>
        }).groups
        const found = groups.flatMap(({ rules }) => rules)
        assert.isAbove(found.length, 8)
        for (const { health, lastError, name, query, state } of found) {
          assert.deepStrictEqual([name, health, lastError], [name, "ok", undefined])
          if (name !== "FastWorkerTasksFail") assert.strictEqual(state, "inactive", name)
          const names = new Set(query.match(/\b(?:fastworker|nodejs|process)_[a-z_]+\b/gu) ?? ["up"])
          for (const metric of names) assert.isNotEmpty(yield* prometheus.query(metric), metric)
        }
        yield* Fiber.interrupt(load)
      }),
    180_000
  )
})
