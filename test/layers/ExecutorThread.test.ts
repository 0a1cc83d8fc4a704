import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Built from "fastworker/layers/ExecutorThread"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Settings } from "../../src/domain/Settings.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"
import * as ExecutorThread from "../../src/layers/ExecutorThread.ts"
import { layerSettings } from "../../src/layers/NodeClient.ts"
import * as TaskRegistryModules from "../../src/layers/TaskRegistryModules.ts"
import type { AttemptResult } from "../../src/services/Executor.ts"
import { Executor } from "../../src/services/Executor.ts"
import { until } from "../harness/Until.ts"
import { startAttempt } from "./attempts.ts"

const file = "test/fixtures/tasks/threads.ts"

const makeExecutor = (options: ExecutorThread.Options, settings: Partial<Settings> = {}) =>
  Layer.build(
    ExecutorThread.layer(options).pipe(
      Layer.provide(TaskRegistryModules.layerFiles([file])),
      Layer.provide(layerSettings({ threadStopGraceMillis: 200, ...settings }))
    )
  ).pipe(Effect.flatMap((context) => Effect.provideContext(Executor, context)))

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "fastworker-threads-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const value = (result: AttemptResult | undefined): unknown =>
  result === undefined || result.state === "stopped" ? undefined : JSON.parse(result.body)

describe("ExecutorThread", () => {
  it.live("runs what asks for it in a thread, with its context and its middleware, and the rest in fibers", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor({ threads: 1 })

      const first = startAttempt(executor, "where", {}, { attempt: 4 })
      const result = yield* first.ended

      assert.strictEqual(result?.state, "succeeded")
      const seen = value(result) as { readonly threadId: number }
      assert.deepStrictEqual(seen, { isMainThread: false, threadId: seen.threadId, attempt: 4 } as never)
      assert.deepStrictEqual(first.events, ["progress \"around\"", "succeeded", "end"])
      assert.deepStrictEqual(yield* startAttempt(executor, "here").ended, { state: "succeeded", body: "true" })
    }))

  it.live("reports the declared error with its retry, as a fiber would", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor({ threads: 1 })

      const retried = yield* startAttempt(executor, "fail").ended
      const final = yield* startAttempt(executor, "fail", {}, { failures: 2 }).ended

      assert.isTrue(retried?.state === "failed" && retried.reason === "error")
      assert.deepStrictEqual(value(retried as never), { _tag: "Unlucky", code: 13 })
      assert.isTrue(retried?.state === "failed" && (retried.retryInMillis ?? 0) >= 160)
      assert.isTrue(final?.state === "failed" && final.retryInMillis === undefined)
    }))

  it.live("carries the checkpoint in and the progress out", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor({ threads: 1 })

      const attempt = startAttempt(executor, "count", {}, { checkpoint: "40" })
      yield* attempt.ended

      assert.deepStrictEqual(attempt.events, ["progress 41", "progress 42", "progress 43", "succeeded", "end"])
    }))

  it.live("runs no more attempts at once than there are threads, in the order in which they came", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor({ threads: 1 })
      const path = join(yield* directory, "go")

      const first = startAttempt(executor, "hold", { until: path })
      const second = startAttempt(executor, "where")
      const third = startAttempt(executor, "where")
      const cancelled = startAttempt(executor, "where")
      cancelled.interrupt()
      assert.deepStrictEqual(cancelled.events, ["stopped", "end"])
      // A fiber does not wait for a thread.
      yield* startAttempt(executor, "here").ended
      assert.deepStrictEqual([first.events, second.events, third.events], [[], [], []])
      writeFileSync(path, "")

      const threads = [value(yield* second.ended), value(yield* third.ended)]
      assert.deepStrictEqual(first.events, ["succeeded", "end"])
      // The same thread took them.
      assert.isNumber((threads[0] as { readonly threadId: number }).threadId)
      assert.deepStrictEqual(threads[0], threads[1])
    }))

  it.live("interrupts a handler that is told to stop, and keeps its thread", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor({ threads: 1 }, { threadStopGraceMillis: 10_000 })
      const note = join(yield* directory, "note")
      const noted = (text: string) => existsSync(note) && readFileSync(note, "utf8") === text
      const before = yield* startAttempt(executor, "where").ended
      const held = startAttempt(executor, "hold", { until: "/nowhere", note })
      yield* until("the handler runs", () => noted("started\n"))

      held.interrupt()
      held.interrupt()

      assert.deepStrictEqual(yield* held.ended, { state: "stopped" })
      assert.deepStrictEqual(held.events, ["stopped", "end"])
      assert.isTrue(noted("started\ninterrupted\n"))
      assert.deepStrictEqual(yield* startAttempt(executor, "where").ended, before)
    }))

  it.live("stops what waits for its thread to load at once", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor({ threads: 1 })
      const first = startAttempt(executor, "spin")

      first.interrupt()
      first.interrupt()

      assert.deepStrictEqual(first.events, ["stopped", "end"])
      assert.strictEqual((yield* startAttempt(executor, "where").ended)?.state, "succeeded")
    }))

  it.live("ends the thread of a handler that does not stop when it is told to", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor({ threads: 1 })
      const warm = yield* startAttempt(executor, "where").ended
      const spinning = startAttempt(executor, "spin")

      spinning.interrupt()

      assert.deepStrictEqual(yield* spinning.ended, { state: "stopped" })
      const next = yield* startAttempt(executor, "where").ended
      assert.notStrictEqual(value(next as never), value(warm))
      assert.strictEqual(next?.state, "succeeded")
    }))

  it.live("lets a thread stop what exceeds its timeout by itself, with its finalizers", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor({ threads: 1 }, { threadStopGraceMillis: 10_000 })
      const note = join(yield* directory, "note")

      const result = yield* startAttempt(executor, "sleepTooLong", { note }).ended

      assert.deepStrictEqual(result, { state: "failed", reason: "timeout", body: JSON.stringify({ timeout: 50 }) })
      assert.strictEqual(readFileSync(note, "utf8"), "finalized\n")
    }))

  it.live("ends a thread that exceeds its timeout and can't be told, and asks for a retry", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor({ threads: 2 })

      const attempts = [0, 1].map((failures) => startAttempt(executor, "spinTooLong", {}, { failures }))
      const [retried, final] = yield* Effect.forEach(attempts, ({ ended }) => ended)

      const timeout = { state: "failed", reason: "timeout", body: JSON.stringify({ timeout: 100 }) } as const
      assert.deepStrictEqual(final, timeout)
      assert.isTrue(retried?.state === "failed" && (retried.retryInMillis ?? 0) > 0)
      assert.deepStrictEqual({ ...retried, retryInMillis: 0 }, { ...timeout, retryInMillis: 0 })
    }))

  for (
    const [name, message] of [
      ["leave", /exit code 7/u],
      ["throwLater", /TypeError: nobody catches this/u],
      ["hoard", /memory/u]
    ] as const
  ) {
    it.live(`takes the end of a thread by "${name}" for the crash of its attempt, and of nothing else`, () =>
      Effect.gen(function*() {
        const executor = yield* makeExecutor({ threads: 2, maxHeapMb: 64 })
        const path = join(yield* directory, "go")
        const other = startAttempt(executor, "hold", { until: path })

        const crashed = startAttempt(executor, name)
        const result = yield* crashed.ended

        assert.deepStrictEqual(crashed.events, ["crashed", "end"])
        assert.match((value(result) as { readonly message: string }).message, message)
        assert.deepStrictEqual(other.events, [])
        writeFileSync(path, "")
        assert.strictEqual((yield* other.ended)?.state, "succeeded")
        assert.strictEqual((yield* startAttempt(executor, "where").ended)?.state, "succeeded")
      }))
  }

  it.live("starts another thread while a handler waits for other tasks, and only if the worker agrees", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor({ threads: 1 })
      const path = join(yield* directory, "go")

      const refused = startAttempt(executor, "wait", { until: path }, { setWaiting: () => false })
      assert.match(String(value(yield* refused.ended)), /can't wait for other tasks/u)
      const waiting = startAttempt(executor, "wait", { until: path })
      yield* until("it waits", () => waiting.events.includes("waits"))
      assert.strictEqual((yield* startAttempt(executor, "where").ended)?.state, "succeeded")
      assert.deepStrictEqual(waiting.events, ["waits"])
      writeFileSync(path, "")
      yield* waiting.ended

      assert.deepStrictEqual(waiting.events, ["waits", "goes on", "succeeded", "end"])
      assert.strictEqual((yield* startAttempt(executor, "where").ended)?.state, "succeeded")
    }))

  it.live("takes the slot back for a thread that ends while its handler waits", () =>
    Effect.gen(function*() {
      const executor = yield* makeExecutor({ threads: 1 }, { threadStopGraceMillis: 0 })
      const waiting = startAttempt(executor, "wait", { until: "/nowhere" })
      yield* until("it waits", () => waiting.events.includes("waits"))

      waiting.interrupt()
      yield* waiting.ended

      assert.sameMembers(waiting.events, ["waits", "goes on", "stopped", "end"])
      assert.strictEqual(waiting.events.at(-1), "end")
    }))

  it.live("does not start when handlers for threads were given as layers", () =>
    Effect.gen(function*() {
      const layer = Task.make("heavy", { isolation: "thread" }).toLayer(() => Effect.void)

      const error = yield* Layer.build(
        ExecutorThread.layer().pipe(Layer.provide(TaskRegistryModules.layer(layer)))
      ).pipe(Effect.flip)

      assert.strictEqual(error._tag, "ThreadsUnavailable")
      assert.match(error.message, /"heavy".*load them from files/u)
    }))

  it.live("releases the services of its threads when its scope closes", () =>
    Effect.gen(function*() {
      const note = join(yield* directory, "note")

      yield* Effect.scoped(
        Effect.gen(function*() {
          const executor = yield* makeExecutor({ threads: 1 }, { threadStopGraceMillis: 10_000 })
          yield* startAttempt(executor, "releasing", { note }).ended
        })
      )

      assert.strictEqual(readFileSync(note, "utf8"), "released")
    }))

  it.live("finds its thread's program in the built package too", () =>
    Effect.gen(function*() {
      const context = yield* Layer.build(
        Built.layer({ threads: 1 }).pipe(Layer.provide(TaskRegistryModules.layerFiles([file])))
      )
      const executor = yield* Effect.provideContext(Executor, context)

      assert.strictEqual((yield* startAttempt(executor, "where").ended)?.state, "succeeded")
    }))
})
