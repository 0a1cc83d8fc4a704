/** The protocol as `docs/protocol.md` tells it, spoken by programs that are not ours: nngcat, and a worker in C. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Errors from "../../src/domain/Errors.ts"
import * as Message from "../../src/domain/Message.ts"
import { defaults } from "../../src/domain/Settings.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"
import type { ControlPlane } from "../../src/services/ControlPlane.ts"
import { buildWorker, compilerMissing } from "../harness/CWorker.ts"
import { ask, nngcatMissing } from "../harness/Nngcat.ts"
import { run, start } from "../harness/Processes.ts"
import { startClient, startControlPlane, startWorker } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"

const titled = (title: string, missing: string | null) => missing === null ? title : `${title} (skipped: ${missing})`
const withNngcat = describe.skipIf(nngcatMissing !== null)
const withCompiler = describe.skipIf(compilerMissing !== null)

const page = readFileSync(fileURLToPath(new URL("../../docs/protocol.md", import.meta.url)), "utf8")
const client = "c".repeat(32)
const worker = "d".repeat(32)

describe("docs/protocol.md", () => {
  const examples = [...page.matchAll(/```sh run\n(.*?)```\n\n```text output\n(.*?)```/gsu)].map(
    ([, command = "", output = ""]) => ({ command, output })
  )

  it("has as many examples as blocks that are marked to be run", () => {
    assert.strictEqual(examples.length, page.match(/^```sh run$/gmu)?.length)
    assert.isAbove(examples.length, 8)
  })

  it.live.skipIf(nngcatMissing !== null)(
    titled("shows what its shell examples print", nngcatMissing),
    () =>
      Effect.gen(function*() {
        const plane = yield* startControlPlane({ startGraceMillis: 0, reconnectGraceMillis: 20_000 })
        const env = {
          FASTWORKER_ADDRESS: plane.address,
          FASTWORKER_WORKER_ADDRESS: plane.workerAddress,
          FASTWORKER_DISCOVERY: plane.discovery,
          CLIENT: client,
          WORKER: worker
        }
        // What differs from run to run: the ports, and random ids and epochs.
        const stable = (text: string) =>
          text.replaceAll(plane.address, defaults.address).replaceAll(plane.workerAddress, defaults.workerAddress)
            .replace(/[0-9a-f]{32}/gu, "<random>").trim()

        for (const { command, output } of examples) {
          assert.strictEqual(stable(yield* run("sh", ["-c", command], { env })), stable(output), command)
        }
      })
  )

  it("sets the default addresses before them", () => {
    assert.include(page, `export FASTWORKER_ADDRESS=${defaults.address}\n`)
    assert.include(page, `export FASTWORKER_WORKER_ADDRESS=${defaults.workerAddress}\n`)
    assert.include(page, `export FASTWORKER_DISCOVERY=${defaults.discovery}\n`)
  })

  it("names every operation, every field and every error", () => {
    const names = new Set(Errors.ReplyError.members.flatMap((error) => Object.keys(error.fields)))
    for (const { identifier } of Errors.ReplyError.members) names.add(identifier)
    const visit = (schema: unknown): void => {
      if (typeof schema !== "object" && typeof schema !== "function" || schema === null) return
      const { fields, literal, literals, schema: inner, value } = schema as Readonly<Record<string, unknown>>
      for (const name of [literal, ...(Array.isArray(literals) ? literals : [])]) {
        if (typeof name === "string") names.add(name)
      }
      visit(inner)
      visit(value)
      for (const [name, field] of Object.entries(fields ?? {})) {
        names.add(name)
        visit(field)
      }
    }
    for (const exported of Object.values(Message)) visit(exported)

    const missing = [...names].filter((name) =>
      !new RegExp(`\`([a-z]+\\[\\]\\.|")?${name}(\\[\\]|"|\`)`, "u").test(page)
    )
    assert.deepStrictEqual(missing, [])
    assert.isAbove(names.size, 100)
  })
})

withNngcat(titled("a client in a shell", nngcatMissing), () => {
  /** A control plane, a worker by hand, and a way to say something to it as a client. */
  const startWith = Effect.fnUntraced(function*(...tasks: ReadonlyArray<object>) {
    const plane = yield* startControlPlane({
      startGraceMillis: 0,
      reconnectGraceMillis: 20_000,
      maxPayloadBytes: 1_000
    })
    yield* say(plane.workerAddress, {
      op: "register",
      session: worker,
      worker: "by-hand",
      slots: 2,
      tasks: [{ name: "t" }]
    })
    for (const task of tasks) yield* say(plane.address, { op: "submit", tasks: [task] })
    return plane
  })

  const say = (address: string, header: object, body = "") =>
    Effect.map(
      ask(address, `${JSON.stringify({ v: 1, ...header })}\n${body}`),
      (answer) => ({ ...answer, error: answer.header.error as Readonly<Record<string, unknown>> | undefined })
    )

  /** Says something to a fresh control plane with the tasks `queued-1` and `running-1`. */
  const answerTo = (header: object, body?: string) =>
    Effect.gen(function*() {
      const plane = yield* startWith({ id: "running-1", name: "t" })
      yield* say(plane.workerAddress, { op: "exchange", session: worker, seq: 1, free: 1 })
      yield* say(plane.address, { op: "submit", tasks: [{ id: "queued-1", name: "t", priority: "low" }] }, "{\"x\":1}")
      return yield* say(plane.address, header, body)
    })

  it.live("submits tasks with ids of its own, and gets ids for the others", () =>
    Effect.gen(function*() {
      const { header } = yield* answerTo({ op: "submit", tasks: [{ id: "mine", name: "t" }, { name: "t" }] })

      const ids = header.ids as ReadonlyArray<string>
      assert.deepStrictEqual(header, { v: 1, epoch: header.epoch, ids: ["mine", ids[1]] })
      assert.match(ids[1] ?? "", /^[0-9a-f]{32}$/u)
    }))

  it.live("is told what was refused, by index, and what was accepted, by id", () =>
    Effect.gen(function*() {
      const { header } = yield* answerTo({
        op: "submit",
        tasks: [
          { id: "queued-1", name: "t", size: 7 },
          { id: "queued-1", name: "t", size: 8 },
          { name: "nobody", size: 0 },
          { id: "large", name: "t", size: 1_001 },
          { name: "t" }
        ]
      }, `{"x":1}{"x": 1}${"x".repeat(1_001)}`)

      const refused = header.refused as ReadonlyArray<{ readonly index: number; readonly error: object }>
      const ids = header.ids as ReadonlyArray<string>
      assert.deepStrictEqual(ids.slice(0, 4), ["queued-1", "queued-1", null, "large"] as never)
      assert.match(ids[4] ?? "", /^[0-9a-f]{32}$/u)
      assert.deepStrictEqual(
        refused.map(({ error, index }) => ({ index, error: { ...error, message: "" } })) as unknown,
        [
          { index: 1, error: { _tag: "IdConflict", id: "queued-1", message: "" } },
          { index: 2, error: { _tag: "UnknownTask", task: "nobody", known: ["t"], message: "" } },
          {
            index: 3,
            error: { _tag: "TooLarge", task: "t", what: "arguments", size: 1_001, limit: 1_000, message: "" }
          }
        ]
      )
    }))

  it.live("watches, collects, acknowledges, and then has nothing more", () =>
    Effect.gen(function*() {
      const { address, workerAddress } = yield* startWith({ id: "a", name: "t" }, { id: "b", name: "t" })
      const { header: watched } = yield* say(address, { op: "watch", session: client, ids: ["a", "none", "b"] })
      yield* say(workerAddress, { op: "exchange", session: worker, seq: 1, free: 2 })
      const reports = [
        { id: "b", attempt: 1, state: "succeeded", size: 1 },
        { id: "a", attempt: 1, state: "failed", reason: "error" }
      ]
      yield* say(workerAddress, { op: "leave", session: worker, reports }, "1{\"code\":7}")

      const first = yield* say(address, { op: "collect", session: client, ack: 0 })
      const again = yield* say(address, { op: "collect", session: client, ack: 0 })
      const { epoch } = first.header
      const rest = yield* say(address, { op: "collect", session: client, ack: 2, epoch })

      const refused = watched.refused as ReadonlyArray<{ readonly index: number; readonly error: object }>
      assert.deepStrictEqual(refused.map(({ index }) => index), [1])
      assert.include(refused[0]?.error, { _tag: "TaskNotFound", id: "none" })
      assert.deepStrictEqual(first.header, {
        v: 1,
        epoch,
        last: 2,
        outcomes: [
          { id: "b", name: "t", state: "succeeded", attempt: 1, size: 1 },
          { id: "a", name: "t", state: "failed", reason: "error", attempt: 1, size: 10 }
        ]
      })
      assert.strictEqual(first.body, "1{\"code\":7}")
      assert.deepStrictEqual(again, first)
      assert.deepStrictEqual(rest.header, { v: 1, epoch, last: 2, outcomes: [] })
    }))

  it.live("asks for the result of a task that waits", () =>
    Effect.gen(function*() {
      const { header } = yield* answerTo({ op: "result", id: "queued-1" })
      assert.deepStrictEqual(header, { v: 1, state: "queued" })
    }))

  it.live("asks for the status of tasks, of one that is not known too", () =>
    Effect.gen(function*() {
      const { header } = yield* answerTo({ op: "status", ids: ["running-1", "none", "queued-1"] })

      const [running, none, queued] = header.tasks as ReadonlyArray<Readonly<Record<string, unknown>>>
      assert.include(running, { id: "running-1", name: "t", state: "running", worker: "by-hand", attempt: 1 })
      assert.isNull(none)
      assert.include(queued, { id: "queued-1", state: "queued", priority: "low", attempt: 0 })
      assert.isString(queued?.waiting)
    }))

  it.live("cancels a task that waits", () =>
    Effect.gen(function*() {
      const { header } = yield* answerTo({ op: "cancel", id: "queued-1" })
      assert.deepStrictEqual(header, { v: 1, state: "cancelled" })
    }))

  it.live("lists tasks by state", () =>
    Effect.gen(function*() {
      const { header } = yield* answerTo({ op: "list", state: "queued", limit: 1 })

      const tasks = header.tasks as ReadonlyArray<Readonly<Record<string, unknown>>>
      assert.deepStrictEqual([header.total, tasks.map(({ id }) => id)], [1, ["queued-1"]])
    }))

  it.live("asks who works, at what, and how much", () =>
    Effect.gen(function*() {
      const plane = yield* startWith({ id: "a", name: "t" })
      const workers = (yield* say(plane.address, { op: "workers" })).header.workers as ReadonlyArray<object>
      const tasks = (yield* say(plane.address, { op: "tasks" })).header.tasks
      const { stats } = (yield* say(plane.address, { op: "stats" })).header

      assert.lengthOf(workers, 1)
      assert.include(workers[0], { id: "by-hand", slots: 2, running: 0, local: false })
      assert.deepStrictEqual(tasks, [{ name: "t", workers: ["by-hand"] }])
      assert.include(stats as object, { submitted: 1, waiting: 1, workers: 1, namespace: "default" })
    }))

  const refusals: ReadonlyArray<readonly [title: string, message: string, error: object]> = [
    ["no JSON", "hello", { _tag: "BadRequest" }],
    ["nothing", "\n", { _tag: "BadRequest" }],
    ["JSON over several lines", "{\"v\":1,\n\"op\":\"stats\"}", { _tag: "BadRequest" }],
    ["an array", "[1]", { _tag: "BadRequest", reason: "the header is not a JSON object" }],
    ["no version", "{\"op\":\"stats\"}", { _tag: "ProtocolMismatch", ours: [1], theirs: null }],
    ["another version", "{\"v\":2,\"op\":\"stats\"}", { _tag: "ProtocolMismatch", ours: [1], theirs: 2 }],
    ["a version that is no number", "{\"v\":\"1\",\"op\":\"stats\"}", {
      _tag: "ProtocolMismatch",
      ours: [1],
      theirs: "1"
    }],
    ["no op", "{\"v\":1}", { _tag: "BadRequest" }],
    ["an unknown op", "{\"v\":1,\"op\":\"sumbit\"}", { _tag: "BadRequest" }],
    ["an op of workers", "{\"v\":1,\"op\":\"leave\"}", { _tag: "BadRequest" }],
    ["an unknown id to cancel", "{\"v\":1,\"op\":\"cancel\",\"id\":\"none\"}", { _tag: "TaskNotFound", id: "none" }],
    ["an unknown id to wait for", "{\"v\":1,\"op\":\"result\",\"id\":\"none\",\"wait\":9}", {
      _tag: "TaskNotFound",
      id: "none"
    }],
    ["an unknown id to retry", "{\"v\":1,\"op\":\"retry\",\"id\":\"none\"}", { _tag: "TaskNotFound", id: "none" }],
    ["a running id to retry", "{\"v\":1,\"op\":\"retry\",\"id\":\"running-1\"}", {
      _tag: "NotRetryable",
      id: "running-1",
      state: "running"
    }],
    ["an unknown schedule", "{\"v\":1,\"op\":\"trigger\",\"id\":\"none\"}", { _tag: "ScheduleNotFound", id: "none" }],
    ["another number of tasks than expected", "{\"v\":1,\"op\":\"cancelAll\",\"filter\":{},\"expect\":7}", {
      _tag: "CountChanged",
      expected: 7,
      count: 1
    }]
  ]
  const fields: ReadonlyArray<readonly [field: string, header: object]> = [
    ["tasks", { op: "submit" }],
    ["tasks.0.name", { op: "submit", tasks: [{ name: "" }] }],
    ["tasks.1.name", { op: "submit", tasks: [{ name: "t" }, { name: "a\u0000" }] }],
    ["tasks.0.id", { op: "submit", tasks: [{ name: "t", id: "two words" }] }],
    ["tasks.0.priority", { op: "submit", tasks: [{ name: "t", priority: "urgent" }] }],
    ["tasks.0.size", { op: "submit", tasks: [{ name: "t", size: -1 }] }],
    ["tasks.0.watch", { op: "submit", tasks: [{ name: "t", watch: null }] }],
    ["tasks", { op: "submit", tasks: Array.from({ length: 10_001 }, () => ({ name: "t" })) }],
    ["session", { op: "submit", session: "secret", tasks: [] }],
    ["ids.0", { op: "status", ids: [7] }],
    ["wait", { op: "collect", session: client, ack: 0, wait: 60_001 }],
    ["ack", { op: "collect", session: client, ack: 0.5 }],
    ["id", { op: "result", id: "x".repeat(129) }],
    ["state", { op: "list", state: "done" }],
    ["limit", { op: "list", limit: 0 }]
  ]

  it.live("is told what is wrong with what it says, and everything after that is answered as ever", () =>
    Effect.gen(function*() {
      const { address, workerAddress } = yield* startWith({ id: "running-1", name: "t" })
      yield* say(workerAddress, { op: "exchange", session: worker, seq: 1, free: 1 })
      for (const [title, message, expected] of refusals) {
        const { error } = (yield* ask(address, message)).header
        assert.deepInclude(error, expected, title)
        assert.isString((error as Readonly<Record<string, unknown>>).message, title)
      }
      for (const [field, header] of fields) {
        const { error } = yield* say(address, header)
        assert.strictEqual(error?._tag, "BadRequest", field)
        assert.include(error?.reason, ` ${field}: `)
      }
      const sum = yield* say(address, { op: "submit", tasks: [{ name: "t", size: 3 }] }, "{}")
      assert.include(sum.error, {
        _tag: "BadRequest",
        reason: "the sizes in the header add up to 3 bytes, the body has 2"
      })
      const { stats } = (yield* say(address, { op: "stats" })).header
      assert.include(stats as object, { submitted: 1, running: 1 })
    }))

  it.live("is told that a task has finished, that its result is gone, and what bound it met", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane({ resultCacheSize: 1, maxWaiting: 1, maxOutbox: 1, maxSessions: 1 })
      const { address } = plane
      const submit = (task: object) =>
        Effect.map(
          say(address, { op: "submit", session: client, tasks: [task] }),
          ({ header }) => (header.refused as ReadonlyArray<{ readonly error: object }> | undefined)?.[0]?.error
        )
      yield* submit({ id: "a", name: "t" })
      const full = yield* submit({ id: "b", name: "t" })
      yield* say(address, { op: "cancel", id: "a" })
      const finished = yield* say(address, { op: "cancel", id: "a" })
      yield* submit({ id: "b", name: "t", watch: true })
      yield* say(address, { op: "cancel", id: "b" })
      const evicted = yield* say(address, { op: "result", id: "a" })
      const outbox = yield* submit({ id: "c", name: "t", watch: true })
      const other = yield* say(address, { op: "watch", session: worker, ids: [] })
      yield* plane.drain
      const late = yield* submit({ id: "d", name: "t" })

      assert.include(full, { _tag: "QueueFull", waiting: 1, maxWaiting: 1 })
      assert.include(finished.error, { _tag: "TaskFinished", id: "a", state: "cancelled" })
      assert.include(evicted.error, { _tag: "ResultEvicted", id: "a", state: "cancelled" })
      assert.include(outbox, { _tag: "OutboxFull", outcomes: 1, maxOutcomes: 1 })
      assert.include(other.error, { _tag: "BadRequest", reason: "too many sessions, the bound is 1" })
      assert.include(late, { _tag: "ShuttingDown" })
    }))

  it.live("that is a worker without a session is told to register, and what is wrong with it", () =>
    Effect.gen(function*() {
      const { workerAddress } = yield* startControlPlane()
      const exchange = yield* say(workerAddress, { op: "exchange", session: worker, seq: 1, free: 1 })
      const leave = yield* say(workerAddress, { op: "leave", session: worker })
      const register = yield* say(workerAddress, { op: "register", session: worker, worker: "w", slots: 0, tasks: [] })
      const submit = yield* say(workerAddress, { op: "submit", tasks: [] })

      assert.include(exchange.error, { _tag: "UnknownSession" })
      assert.include(leave.error, { _tag: "UnknownSession" })
      assert.include(register.error?.reason, " slots: ")
      assert.include(submit.error, {
        _tag: "BadRequest",
        reason: "unknown op \"submit\", this address takes: register, exchange, beat, leave"
      })
    }))
})

withCompiler(titled("a worker in C", compilerMissing), () => {
  const upper = Task.make("c.upper", {
    args: { text: Schema.String, millis: Schema.optionalKey(Schema.Int) },
    success: Schema.String
  })

  const toUpper = (text: string) => text.replace(/[a-z]/gu, (letter) => letter.toUpperCase())

  const startC = Effect.fnUntraced(function*(plane: Pick<ControlPlane["Service"], "workerAddress">, id: string) {
    return yield* start(yield* buildWorker, [plane.workerAddress, id])
  })

  const joined = (plane: ControlPlane["Service"], id: string) =>
    until(`worker ${id} to join`, Effect.map(plane.workers, (all) => all.some((one) => one.id === id)))

  it.live("runs tasks of a typed client, each result its own", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane()
      yield* startC(plane, "c-1")
      const caller = yield* startClient(plane)
      const texts = Array.from({ length: 200 }, (_, i) => `${i}: Grüße "quoted" \\n\n\t\u0001 ${"ab".repeat(i)}`)

      const results = yield* Effect.forEach(texts, (text) => caller.run(upper, { text }), { concurrency: 50 })

      assert.deepStrictEqual(results, texts.map(toUpper))
      assert.include(yield* plane.stats, { submitted: 200, succeeded: 200, crashes: 0, lateReports: 0 })
    }))

  it.live("says what is wrong with arguments", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane()
      yield* startC(plane, "c-1")
      const caller = yield* startClient(plane)

      const error = yield* Effect.flip(caller.run(Task.untyped("c.upper"), { txet: 1 }))

      assert.instanceOf(error, Errors.TaskDefect)
      assert.include(error, { defect: "BadArguments", reason: "c.upper takes {\"text\": string}" })
    }))

  it.live("that is killed in the middle of a task loses nothing: the task runs elsewhere", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane({ reconnectGraceMillis: 100 })
      const program = yield* startC(plane, "c-1")
      const caller = yield* startClient(plane)
      const handle = yield* caller.delay(upper, { text: "abc", millis: 600_000 })
      yield* until("the task to run", Effect.map(plane.status(handle.id), ({ state }) => state === "running"))
      yield* startWorker(plane, upper.toLayer(({ text }) => Effect.succeed(`elsewhere: ${text}`)), { id: "ours" })

      program.child.kill("SIGKILL")
      const result = yield* handle.result

      assert.strictEqual(result, "elsewhere: abc")
      assert.include(yield* handle.status, { state: "succeeded", attempt: 2, worker: "ours" })
      assert.deepStrictEqual((yield* plane.workers).map(({ id }) => id), ["ours"])
    }))

  it.live("finishes what it runs and leaves when it is told to stop", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane()
      const program = yield* startC(plane, "c-1")
      const caller = yield* startClient(plane)
      const handle = yield* caller.delay(upper, { text: "abc", millis: 500 })
      // The task is running for the control plane as soon as it is sent to the worker.
      const begins = `begins "${handle.id}"\n`
      yield* until("the task to begin", () => program.output() === begins)

      program.child.kill("SIGTERM")
      yield* until("its end", () => program.ended() !== undefined)

      assert.deepStrictEqual([program.ended(), program.output()], [0, begins])
      assert.strictEqual(yield* handle.result, "ABC")
      assert.lengthOf(yield* plane.workers, 0)
    }))

  it.live("leaves at once when it has nothing to do", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane()
      const program = yield* startC(plane, "c-1")
      yield* joined(plane, "c-1")

      program.child.kill("SIGTERM")
      yield* until("its end", () => program.ended() !== undefined, 4_000)

      assert.deepStrictEqual([program.ended(), (yield* plane.workers).length], [0, 0])
    }))

  it.live("registers again when the control plane is restarted at the same addresses", () =>
    Effect.gen(function*() {
      const first = yield* Scope.make()
      const before = yield* startControlPlane().pipe(Scope.provide(first))
      yield* startC(before, "c-1")
      const caller = yield* startClient(before)
      assert.strictEqual(yield* caller.run(upper, { text: "before" }), "BEFORE")
      yield* Scope.close(first, Exit.void)

      const { address, discovery, workerAddress } = before
      const after = yield* startControlPlane({ address, workerAddress, discovery })
      const result = yield* caller.run(upper, { text: "after" })

      assert.strictEqual(result, "AFTER")
      assert.deepStrictEqual((yield* after.workers).map(({ id }) => id), ["c-1"])
      assert.notStrictEqual((yield* after.stats).epoch, (yield* before.stats).epoch)
    }))
})
