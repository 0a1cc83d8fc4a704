/** What must and must not compile; the compiler is what checks it, `tsc -p tsconfig.test.json`. */
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { ResultError, SubmitError, TaskTimedOut } from "../../src/domain/Errors.ts"
import type { TaskContext } from "../../src/domain/TaskContext.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"
import type { Client, ProgressError, TaskHandle } from "../../src/services/Client.ts"
import * as Handles from "../../src/services/Handles.ts"

class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { code: Schema.Int }) {}
class Mailer extends Context.Service<Mailer, { readonly send: (to: string) => Effect.Effect<string, Rejected> }>()(
  "test/Mailer"
) {}

const mail = Task.make("mail", {
  args: { to: Schema.String, at: Schema.Date },
  success: Schema.String,
  error: Rejected
})
const tick = Task.make("tick")
const upload = Task.make("upload", { success: Schema.Int, progress: Schema.Struct({ at: Schema.Date }) })
const page = Task.make("page", { args: { size: Schema.optionalKey(Schema.Int) } })

type Same<A, B> = [A] extends [B] ? [B] extends [A] ? true : false : false
const same = <A, B>(claim: Same<A, B>) => claim

// Never called: its body is what the compiler reads.
const submissions = (client: Client["Service"]) => {
  const at = new Date(0)

  const handle = client.delay(mail, { to: "a", at })
  same<typeof handle, Effect.Effect<TaskHandle<string, Rejected, never>, SubmitError>>(true)
  const value = client.run(mail, { to: "a", at }, { priority: "high", id: "order-1" })
  same<typeof value, Effect.Effect<string, Rejected | SubmitError | ResultError>>(true)
  const result = client.result(mail, "id")
  same<typeof result, Effect.Effect<string, Rejected | ResultError>>(true)
  const nothing = client.run(tick)
  same<typeof nothing, Effect.Effect<void, SubmitError | ResultError>>(true)

  void client.delay(mail, { to: "a", at }, { in: "5 minutes", expiresIn: "1 hour", tags: ["a"], tenant: "b" })
  void client.delay(mail, { to: "a", at }, { at, ignoreResult: true })
  void client.delay(mail, { to: "a", at }, { at: 0 })
  // @ts-expect-error not a duration
  void client.delay(mail, { to: "a", at }, { in: "soon" })
  // @ts-expect-error not a time
  void client.delay(mail, { to: "a", at }, { at: "tomorrow" })

  const follow = (handle: Effect.Success<ReturnType<typeof uploads>>) => handle.progress
  const uploads = () => client.delay(upload)
  same<ReturnType<typeof follow>, Stream.Stream<{ readonly at: Date }, ProgressError>>(true)
  const progress = client.progress(mail, "id")
  same<typeof progress, Stream.Stream<never, ProgressError>>(true)

  // @ts-expect-error an argument of another type
  void client.delay(mail, { to: 1, at })
  // @ts-expect-error the decoded type is asked for, not its JSON
  void client.delay(mail, { to: "a", at: "1970-01-01T00:00:00.000Z" })
  // @ts-expect-error an argument is missing
  void client.delay(mail, { to: "a" })
  // @ts-expect-error an argument that there is not
  void client.delay(mail, { to: "a", at, cc: "b" })
  // @ts-expect-error no arguments at all
  void client.delay(mail)
  // @ts-expect-error a priority that there is not
  void client.delay(mail, { to: "a", at }, { priority: "urgent" })
  // @ts-expect-error one of many is wrong
  void client.delayAll(mail, [{ to: "a", at }, { to: "b" }])
  // @ts-expect-error one id can't stand for many tasks
  void client.delayAll(mail, [], { id: "one" })
  // @ts-expect-error one of many is wrong
  void client.runAll(mail, [{ to: "a", at }, { to: "b" }])

  // None, or only optional ones: the arguments may be left out.
  void client.delay(tick)
  void client.delay(tick, {}, { id: "x" })
  void client.delay(page)
  void client.delay(page, { size: 1 })
  // @ts-expect-error an optional argument of another type
  void client.delay(page, { size: "1" })
}

const many = (mails: ReadonlyArray<TaskHandle<string, Rejected, never>>, tick: TaskHandle<void, never, never>) => {
  const all = Handles.all(mails)
  same<typeof all, Effect.Effect<Array<string>, Rejected | ResultError>>(true)
  const each = (mail: TaskHandle<string, Rejected, never>) => Handles.all([mail, tick])
  same<ReturnType<typeof each>, Effect.Effect<[string, void], Rejected | ResultError>>(true)
  const first = Handles.first(mails)
  same<Effect.Success<typeof first>["value"], string>(true)
  same<Effect.Error<typeof first>, Rejected | ResultError>(true)
  const mixed = (mail: TaskHandle<string, Rejected, never>) => Handles.first([mail, tick])
  same<Effect.Success<ReturnType<typeof mixed>>["value"], string | void>(true)
  const completed = Handles.asCompleted(mails)
  same<Stream.Success<typeof completed>["exit"], Exit.Exit<string, Rejected | ResultError>>(true)
}

const handlers = () => {
  const needy = mail.toLayer(({ to }) => Effect.flatMap(Mailer, (mailer) => mailer.send(to)))
  same<typeof needy, Layer.Layer<Task.TaskHandler<"mail">, never, Mailer>>(true)
  // @ts-expect-error the layer still requires the mailer
  const complete: Layer.Layer<Task.TaskHandler<"mail">> = needy

  const built = mail.toLayer(Effect.map(Mailer, (mailer) => ({ to }) => mailer.send(to)))
  same<typeof built, Layer.Layer<Task.TaskHandler<"mail">, never, Mailer>>(true)
  const failing = mail.toLayer(Effect.fail("no mailer" as const))
  same<Layer.Error<typeof failing>, "no mailer">(true)

  const own = tick.toLayer(() => Effect.asVoid(Effect.context<TaskContext>()))
  // Every handler is given the context of its task: it is no requirement of the layer.
  same<typeof own, Layer.Layer<Task.TaskHandler<"tick">>>(true)

  // @ts-expect-error a value of another type
  void mail.toLayer(() => Effect.succeed(1))
  // @ts-expect-error an error that the definition does not declare
  void mail.toLayer(() => Effect.fail(new Error("undeclared")))
  // @ts-expect-error an argument that there is not
  void mail.toLayer((args) => Effect.succeed(args.cc))

  const defined = Task.define("t", {
    args: { x: Schema.Int },
    success: Schema.Int,
    run: ({ x }) => Effect.succeed(x + 1)
  })
  same<typeof defined.layer, Layer.Layer<Task.TaskHandler<"t">>>(true)
  // @ts-expect-error a promise of another type
  void Task.define("t", { success: Schema.Int, run: () => Promise.resolve("1") })
  // @ts-expect-error a handler without a layer of its own can't require services
  void Task.define("t", { run: () => Effect.asVoid(Mailer) })
  // @ts-expect-error an error that is not declared
  void Task.define("t", { run: () => Effect.fail("no") })

  return complete
}

const policies = () => {
  const task = Task.make("policies", {
    args: { to: Schema.String, at: Schema.Date },
    success: Schema.String,
    error: Rejected,
    progress: Schema.Struct({ done: Schema.Int }),
    timeout: "30 seconds",
    retry: { attempts: 5, schedule: Schedule.exponential("1 second"), while: (error) => error.code > 400 },
    unique: { key: ({ to }) => to, while: "unfinished" },
    limits: { key: ({ to }) => to, keyRate: { limit: 1, per: "1 second" } },
    fairness: { key: ({ to }) => to, weight: ({ at }) => at.getTime() },
    tags: ({ to }) => [to],
    upgrade: (args, from) => [args, from.toFixed()]
  })
  same<
    typeof task,
    Task.TaskDefinition<
      "policies",
      { readonly to: string; readonly at: Date },
      string,
      Rejected,
      { readonly done: number }
    >
  >(true)
  // The schedule may look at the error, or at the timeout.
  const byError = Schedule.identity<Rejected | TaskTimedOut>()
  void Task.make("t", { error: Rejected, retry: { schedule: byError } })
  const byOther = Schedule.identity<Rejected>()
  // @ts-expect-error it may be a timeout
  void Task.make("t", { error: Rejected, retry: { schedule: byOther } })
  // @ts-expect-error the error has no such property
  void Task.make("t", { error: Rejected, retry: { while: (error) => error.kode } })
  // @ts-expect-error the arguments have no such property
  void Task.make("t", { args: { to: Schema.String }, tags: (args) => [args.cc] })
  // @ts-expect-error no such way to hold a key
  void Task.make("t", { unique: { key: () => "k", while: "running" } })

  void task.progress({ done: 1 })
  const checkpoint = task.checkpoint
  same<typeof checkpoint, Effect.Effect<Option.Option<{ readonly done: number }>, never, TaskContext>>(true)
  // @ts-expect-error progress of another type
  void task.progress({ done: "1" })
  // @ts-expect-error the definition has no progress
  void mail.progress(1)
  // Whoever takes definitions need not know of their progress.
  const known: Task.TaskDefinition<"policies", { readonly to: string; readonly at: Date }, string, Rejected> = task
  const any: ReadonlyArray<Task.Any> = [task, mail]

  void Task.define("t", {
    progress: Schema.Int,
    run: (_, { checkpoint = 0, progress, signal }) => {
      same<typeof checkpoint, number>(true)
      progress(checkpoint + 1)
      // @ts-expect-error progress of another type
      progress("1")
      return Promise.resolve(void signal.aborted)
    }
  })
  return [known, any]
}

const schedules = () => {
  void Task.every(tick, "5 minutes")
  void Task.every(tick, "5 minutes", { id: "tick" })
  void Task.every(page, "5 minutes", { args: { size: 1 } })
  void Task.cron(mail, "0 9 * * *", { args: { to: "a", at: new Date(0) }, timeZone: "Europe/Berlin" })
  // @ts-expect-error the arguments are missing
  void Task.every(mail, "5 minutes")
  // @ts-expect-error one of the arguments is missing
  void Task.cron(mail, "0 9 * * *", { args: { to: "a" } })
  // @ts-expect-error an argument of another type
  void Task.every(page, "5 minutes", { args: { size: "1" } })
  // @ts-expect-error intervals have no zone
  void Task.every(tick, "5 minutes", { timeZone: "UTC" })
}

const middleware = () => {
  const layer = Task.middleware((run, { name }) => Effect.withSpan(run, name))
  same<typeof layer, Layer.Layer<Task.TaskMiddleware>>(true)
  const needy = Task.middleware(Effect.map(Mailer, () => (run) => run))
  same<typeof needy, Layer.Layer<Task.TaskMiddleware, never, Mailer>>(true)
  void tick.toLayer(() => Effect.void, { around: (run) => run })
  // @ts-expect-error it can't fail
  void Task.middleware((run) => Effect.andThen(run, Effect.fail("no")))
  // @ts-expect-error it can't take the value away
  void Task.middleware((run) => Effect.asVoid(run))
  // @ts-expect-error what it needs, the Effect that builds it must have
  void Task.middleware((run) => Effect.andThen(Mailer, run))
}

it("is checked by the compiler", () => {
  assert.isFunction(submissions)
  assert.isFunction(handlers)
  assert.isFunction(many)
  assert.isFunction(policies)
  assert.isFunction(schedules)
  assert.isFunction(middleware)
  assert.deepStrictEqual([mail.name, tick.name, page.name], ["mail", "tick", "page"])
})
