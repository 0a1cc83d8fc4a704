/** Whose result it is, that it arrives as it was, that nothing is left behind, and that no call waits for ever. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Net from "node:net"
import { Unreachable } from "../../src/domain/Errors.ts"
import * as Task from "../../src/domain/TaskDefinition.ts"
import { leastBytesInUse } from "../harness/Memory.ts"
import { startClient, startControlPlane, startWorker } from "../harness/Roles.ts"

const sign = Task.define("sign", {
  args: { caller: Schema.Int, number: Schema.Int },
  success: Schema.String,
  // Some end at once, others after those that came later: replies come in an order of their own.
  run: ({ caller, number }) => Effect.as(Effect.sleep(number % 7), `${caller}/${number}`)
})

const echo = Task.make("echo", {
  args: { value: Schema.Unknown, fail: Schema.Boolean },
  success: Schema.Unknown,
  error: Schema.Union([Schema.Literals([0, false, ""]), Schema.Null])
})
const echoLayer = echo.toLayer(({ fail, value }) =>
  fail ? Effect.fail(value as 0 | false | "" | null) : Effect.succeed(value)
)

describe("8 clients with 500 tasks each, over 3 workers", () => {
  it.live("get each its own results, and nobody else's", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane()
      for (const id of ["w-1", "w-2", "w-3"]) yield* startWorker(plane, sign.layer, { id, concurrency: 32 })
      const numbers = Array.from({ length: 500 }, (_, number) => number)

      yield* Effect.forEach(
        [0, 1, 2, 3, 4, 5, 6, 7],
        Effect.fnUntraced(function*(caller) {
          const client = yield* startClient(plane)
          const results = yield* Effect.forEach(numbers, (number) => client.run(sign, { caller, number }), {
            concurrency: 50
          })
          assert.deepStrictEqual(results, numbers.map((number) => `${caller}/${number}`))
        }),
        { concurrency: 8, discard: true }
      )

      const { crashes, lateReports, submitted, succeeded } = yield* plane.stats
      assert.deepStrictEqual([submitted, succeeded, crashes, lateReports], [4_000, 4_000, 0, 0])
      const shares = (yield* plane.workers).map((worker) => worker.succeeded)
      assert.strictEqual(shares.reduce((sum, share) => sum + share, 0), 4_000)
      assert.isTrue(shares.every((share) => share > 400), `the shares of the workers are ${shares}`)
    }))
})

describe("20,000 tasks", () => {
  it.live("leave nothing behind but what the bounds of results and history allow", () =>
    Effect.gen(function*() {
      const plane = yield* startControlPlane({ resultCacheSize: 500, tombstones: 500, maxHistory: 500 })
      yield* startWorker(plane, echoLayer, { id: "w", concurrency: 256 })
      const client = yield* startClient(plane)
      const runMany = (count: number) =>
        Effect.forEach(
          Array.from({ length: count }, (_, i) => i),
          (i) =>
            Effect.map(client.run(echo, { value: `result ${i}`, fail: false }), (value) => {
              if (value !== `result ${i}`) throw new Error(`result ${i} is ${String(value)}`)
            }),
          { concurrency: 200, discard: true }
        )
      yield* runMany(5_000)
      const before = yield* leastBytesInUse

      yield* runMany(15_000)

      const growth = (yield* leastBytesInUse) - before
      const { results, running, sessions, submitted, succeeded, waiting, waitingBytes, workers } = yield* plane.stats
      assert.deepStrictEqual(
        { results, running, sessions, submitted, succeeded, waiting, waitingBytes, workers },
        {
          results: 500,
          running: 0,
          sessions: 1,
          submitted: 20_000,
          succeeded: 20_000,
          waiting: 0,
          waitingBytes: 0,
          workers: 1
        }
      )
      // 100 bytes left behind by each task would be 1.5 MB.
      assert.isBelow(growth, 1_500_000)
    }), 60_000)
})

describe("a value that is falsy", () => {
  const values = [0, false, "", null, -1, [], {}, [null, 0, false, ""], { a: null, b: 0 }]

  for (const value of values) {
    it.live(`arrives as itself, at once and for who asks later: ${JSON.stringify(value)}`, () =>
      Effect.gen(function*() {
        const plane = yield* startControlPlane()
        yield* startWorker(plane, echoLayer, { id: "w" })
        const client = yield* startClient(plane)
        const later = yield* startClient(plane)

        const direct = yield* client.run(echo, { value, fail: false }, { id: "mine" })
        const asked = yield* later.result(echo, "mine")

        assert.deepStrictEqual([direct, asked], [value, value])
      }))
  }

  for (const value of [0, false, "", null] as const) {
    it.live(`arrives as itself when it is the error that a task declares: ${JSON.stringify(value)}`, () =>
      Effect.gen(function*() {
        const plane = yield* startControlPlane()
        yield* startWorker(plane, echoLayer, { id: "w" })
        const client = yield* startClient(plane)

        const exit = yield* Effect.exit(client.run(echo, { value, fail: true }))

        assert.deepStrictEqual(exit, Exit.fail(value))
      }))
  }
})

describe("every call", () => {
  /** A peer that takes connections and bytes, and never says a word. */
  const startMute = Effect.acquireRelease(
    Effect.callback<{ readonly address: string; readonly server: Net.Server; readonly sockets: Set<Net.Socket> }>(
      (resume) => {
        const sockets = new Set<Net.Socket>()
        const server = Net.createServer((socket) => {
          sockets.add(socket)
          socket.on("error", () => {}).resume()
        })
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as Net.AddressInfo
          resume(Effect.succeed({ address: `tcp://127.0.0.1:${port}`, server, sockets }))
        })
      }
    ),
    ({ server, sockets }) =>
      Effect.sync(() => {
        server.close()
        for (const socket of sockets) socket.destroy()
      })
  )

  const settings = { deadlineMillis: 300, heartbeatMillis: 100 }

  /** All calls of a client at once; each must fail with `Unreachable`, in time. */
  const assertUnreachable = Effect.fnUntraced(function*(address: string) {
    const client = yield* startClient({ address }, settings)
    const args = { value: 1, fail: false }
    const calls: Readonly<Record<string, Effect.Effect<unknown, unknown>>> = {
      delay: client.delay(echo, args),
      delayAll: client.delayAll(echo, [args, args]),
      run: client.run(echo, args),
      result: client.result(echo, "a"),
      status: client.status("a"),
      cancel: client.cancel("a"),
      list: client.list(),
      workers: client.workers,
      tasks: client.tasks,
      stats: client.stats
    }
    const ended = yield* Effect.forEach(
      Object.entries(calls),
      ([name, call]) => Effect.map(Effect.exit(Effect.flip(call)), (exit) => [name, exit] as const),
      { concurrency: "unbounded" }
    ).pipe(Effect.timeout(5_000))
    for (const [name, exit] of ended) {
      if (Exit.isFailure(exit)) assert.fail(`${name} succeeded`)
      else assert.instanceOf(exit.value, Unreachable, name)
    }
  })

  it.live("fails in time when nobody listens", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { address } = yield* startMute.pipe(Scope.provide(scope))
      yield* Scope.close(scope, Exit.void)
      yield* assertUnreachable(address)
    }))

  it.live("fails in time when the peer takes everything and says nothing", () =>
    Effect.gen(function*() {
      const { address } = yield* startMute
      yield* assertUnreachable(address)
    }))

  it.live("fails in time when the control plane stops while a result is awaited", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const plane = yield* startControlPlane().pipe(Scope.provide(scope))
      const client = yield* startClient(plane, settings)
      const handle = yield* client.delay(echo, { value: 1, fail: false })
      const waiting = yield* Effect.forkChild(Effect.flip(handle.result))
      assert.strictEqual((yield* handle.status).state, "queued")

      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.timeout(Fiber.join(waiting), 5_000)

      assert.instanceOf(error, Unreachable)
    }))
})
