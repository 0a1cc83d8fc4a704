import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { defaults } from "../../src/domain/Settings.ts"
import type { WorkerRecord } from "../../src/domain/WorkerInfo.ts"
import * as WorkerRegistryMemory from "../../src/layers/WorkerRegistryMemory.ts"
import { Settings } from "../../src/services/Settings.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { makeWorker } from "./records.ts"

const make = () => WorkerRegistryMemory.makeUnsafe({ heartbeatTimeoutMillis: 1_000, reconnectGraceMillis: 100 })

const sessions = (workers: Iterable<WorkerRecord>) => [...workers].map(({ session }) => session)

describe("overdue", () => {
  it("names a worker that was silent for the heartbeat timeout, not before", () => {
    const registry = make()
    const worker = makeWorker("w")
    registry.add(worker, [])
    registry.seen(worker, 500)

    assert.deepStrictEqual(sessions(registry.overdue(1_499)), [])
    assert.deepStrictEqual(sessions(registry.overdue(1_500)), ["w"])
  })

  it("names a worker that did not come back within the grace after its connection closed", () => {
    const registry = make()
    const worker = makeWorker("w")
    registry.add(worker, [])
    registry.disconnected(worker, 500)

    assert.strictEqual(worker.state, "lost")
    assert.deepStrictEqual(sessions(registry.overdue(599)), [])
    assert.deepStrictEqual(sessions(registry.overdue(600)), ["w"])
  })

  it("counts the grace from the first close, however often it is told", () => {
    const registry = make()
    const worker = makeWorker("w")
    registry.add(worker, [])
    registry.disconnected(worker, 500)
    registry.disconnected(worker, 590)

    assert.deepStrictEqual(sessions(registry.overdue(600)), ["w"])
  })

  it("forgives a worker that came back in time", () => {
    const registry = make()
    const worker = makeWorker("w")
    registry.add(worker, [])
    registry.disconnected(worker, 500)
    registry.seen(worker, 550)

    assert.strictEqual(worker.state, "active")
    assert.deepStrictEqual(sessions(registry.overdue(1_549)), [])
  })

  it("does not take a worker that came back for one that works on, when it was draining", () => {
    const registry = make()
    const worker = makeWorker("w")
    registry.add(worker, [])
    worker.state = "draining"
    registry.disconnected(worker, 0)
    registry.seen(worker, 50)

    assert.strictEqual(worker.state, "draining")
  })
})

describe("forgive", () => {
  it("does not count a time as silence, nor as time in which a worker could have come back", () => {
    const registry = make()
    const [silent, away] = [makeWorker("silent"), makeWorker("away")]
    registry.add(silent, [])
    registry.add(away, [])
    registry.disconnected(away, 50)

    registry.forgive(5_000, 5_060)

    assert.deepStrictEqual(sessions(registry.overdue(5_149)), [])
    assert.deepStrictEqual(sessions(registry.overdue(5_150)), ["away"])
    assert.deepStrictEqual(sessions(registry.overdue(6_000)), ["silent", "away"])
  })

  it("leaves what was heard and told since as it is", () => {
    const registry = make()
    const [heard, closed] = [makeWorker("heard"), makeWorker("closed")]
    registry.add(heard, [])
    registry.add(closed, [])
    registry.seen(heard, 5_060)
    registry.seen(closed, 5_060)
    registry.disconnected(closed, 5_060)

    registry.forgive(5_000, 5_060)

    assert.deepStrictEqual(sessions(registry.overdue(5_160)), ["closed"])
    assert.deepStrictEqual(sessions(registry.overdue(6_060)), ["heard", "closed"])
  })
})

describe("add", () => {
  it("replaces the worker with the same session, and counts its handlers once", () => {
    const registry = make()
    const old = makeWorker("w", { names: ["t", "u"] })
    const renewed = makeWorker("w", { names: ["t"] })
    registry.add(old, [])
    registry.add(makeWorker("other", { names: ["t"] }), [])
    registry.add(renewed, [])

    assert.strictEqual(registry.size(), 2)
    assert.strictEqual(registry.bySession("w"), renewed)
    assert.deepStrictEqual([registry.remoteHandlers("t"), registry.remoteHandlers("u")], [2, 0])
  })

  it("does not count the local worker among the remote handlers", () => {
    const registry = make()
    const here = makeWorker("here", { local: true })
    registry.add(here, [{ name: "t" }])

    assert.strictEqual(registry.remoteHandlers("t"), 0)
    registry.remove(here)
    assert.strictEqual(registry.remoteHandlers("t"), 0)
  })

  it("remembers the names of workers that are gone, as they were announced last", () => {
    const registry = make()
    const worker = makeWorker("w")
    registry.add(worker, [{ name: "t", priority: "low" }])
    registry.add(makeWorker("x"), [{ name: "t", priority: "high" }])
    registry.remove(worker)

    assert.deepStrictEqual(registry.type("t"), { name: "t", priority: "high" })
    assert.isUndefined(registry.type("u"))
  })

  it("bounds the names that it remembers, and forgets the one announced longest ago", () => {
    const registry = make()
    const { maxNames } = WorkerRegistryMemory
    registry.add(makeWorker("first"), [{ name: "old" }, { name: "renewed" }])
    registry.add(makeWorker("many"), Array.from({ length: maxNames - 2 }, (_, i) => ({ name: `n${i}` })))
    registry.add(makeWorker("again"), [{ name: "renewed" }])

    const before = [...registry.types()].length
    registry.add(makeWorker("last"), [{ name: "new" }])

    assert.strictEqual(before, maxNames)
    assert.strictEqual([...registry.types()].length, maxNames)
    assert.isUndefined(registry.type("old"))
    assert.isDefined(registry.type("renewed"))
  })
})

describe("remove", () => {
  it("has no effect for a record that was replaced", () => {
    const registry = make()
    const old = makeWorker("w")
    const renewed = makeWorker("w")
    registry.add(old, [])
    registry.add(renewed, [])

    registry.remove(old)
    registry.disconnected(old, 0)

    assert.deepStrictEqual([...registry.workers()], [renewed])
    assert.strictEqual(registry.remoteHandlers("t"), 1)
    assert.strictEqual(old.state, "active")
  })
})

describe("layer", () => {
  it.effect("takes the times from the settings", () =>
    Effect.gen(function*() {
      const registry = yield* WorkerRegistry
      registry.add(makeWorker("w"), [])

      assert.deepStrictEqual(sessions(registry.overdue(6)), [])
      assert.deepStrictEqual(sessions(registry.overdue(7)), ["w"])
    }).pipe(
      Effect.provide(WorkerRegistryMemory.layer),
      Effect.provideService(Settings, { ...defaults, heartbeatTimeoutMillis: 7 })
    ))
})
