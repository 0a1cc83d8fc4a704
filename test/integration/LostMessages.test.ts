/**
 * The two long polls under a transport that loses requests and replies, duplicates requests and cuts connections: every
 * task runs exactly once and every caller gets its own result exactly once.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Task from "../../src/domain/TaskDefinition.ts"
import * as ClientRemote from "../../src/layers/ClientRemote.ts"
import * as ControlPlaneServer from "../../src/layers/ControlPlaneServer.ts"
import * as DiscoveryNng from "../../src/layers/DiscoveryNng.ts"
import * as EventBusPubSub from "../../src/layers/EventBusPubSub.ts"
import * as ExecutorFiber from "../../src/layers/ExecutorFiber.ts"
import { layerCore } from "../../src/layers/Node.ts"
import { layerSettings } from "../../src/layers/NodeClient.ts"
import * as TaskRegistryModules from "../../src/layers/TaskRegistryModules.ts"
import * as TransportMemory from "../../src/layers/TransportMemory.ts"
import * as WorkerRemote from "../../src/layers/WorkerRemote.ts"
import { Client } from "../../src/services/Client.ts"
import { ControlPlane } from "../../src/services/ControlPlane.ts"
import { Worker } from "../../src/services/Worker.ts"
import { makeRandom } from "../harness/random.ts"

const square = Task.make("square", { args: { n: Schema.Int }, success: Schema.Int })

const run = (faults: (chance: (probability: number) => boolean) => TransportMemory.Faults, seed: number) => {
  const random = makeRandom(seed)
  const executions = new Map<number, number>()
  const handlers = square.toLayer(({ n }) =>
    Effect.gen(function*() {
      executions.set(n, (executions.get(n) ?? 0) + 1)
      yield* Effect.sleep(random() * 5)
      return n * n
    })
  )
  const settings = layerSettings({
    heartbeatMillis: 60,
    resendMillis: 30,
    // Cut connections come back; the losses under test are of messages, not of workers.
    reconnectGraceMillis: 60_000,
    heartbeatTimeoutMillis: 60_000
  })
  const worker = (id: string) =>
    WorkerRemote.layer({ id, slots: 8 }).pipe(
      Layer.provide(ExecutorFiber.layer),
      Layer.provide(TaskRegistryModules.layer(handlers))
    )
  const system = Layer.mergeAll(worker("a"), ClientRemote.layer).pipe(
    Layer.provideMerge(ControlPlaneServer.layer),
    Layer.provide([layerCore, EventBusPubSub.layer, DiscoveryNng.layer]),
    Layer.provide(TransportMemory.layer(faults((probability) => random() < probability))),
    Layer.provide(settings)
  )
  return Effect.gen(function*() {
    const client = yield* Client
    const plane = yield* ControlPlane
    yield* (yield* Worker).ready
    const count = 300
    const inputs = Array.from({ length: count }, (_, n) => n)

    const results = yield* Effect.forEach(
      inputs,
      (n) =>
        n % 3 === 0
          ? Effect.flatMap(client.delay(square, { n }), (handle) => handle.result)
          : client.run(square, { n }),
      { concurrency: 40 }
    )

    const stats = yield* plane.stats
    assert.deepStrictEqual(results, inputs.map((n) => n * n))
    assert.deepStrictEqual([...executions.values()].filter((times) => times !== 1), [])
    assert.strictEqual(executions.size, count)
    assert.deepInclude(stats, {
      submitted: count,
      succeeded: count,
      failed: 0,
      waiting: 0,
      running: 0,
      crashes: 0,
      lateReports: 0
    })
  }).pipe(Effect.provide(system), Effect.timeout("25 seconds"))
}

describe("lost messages", () => {
  for (const seed of [1, 2, 3]) {
    it.live(`lose and repeat nothing when a third of the replies is dropped (seed ${seed})`, () =>
      run((chance) => ({ dropReply: () => chance(0.33) }), seed))

    it.live(`lose and repeat nothing when requests are dropped and duplicated (seed ${seed})`, () =>
      run((chance) => ({ dropRequest: () => chance(0.2), duplicateRequest: () => chance(0.3) }), seed))

    it.live(`lose and repeat nothing when connections are cut as well (seed ${seed})`, () =>
      run((chance) => ({
        dropReply: () => chance(0.15),
        dropRequest: () => chance(0.1),
        duplicateRequest: () => chance(0.1),
        cut: () => chance(0.1)
      }), seed))
  }
})
