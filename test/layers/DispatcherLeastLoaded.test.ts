import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { LocalPolicy } from "../../src/domain/Settings.ts"
import { defaults } from "../../src/domain/Settings.ts"
import type { TaskRecord } from "../../src/domain/Task.ts"
import type { WorkerRecord } from "../../src/domain/WorkerInfo.ts"
import { credit } from "../../src/domain/WorkerInfo.ts"
import * as DispatcherLeastLoaded from "../../src/layers/DispatcherLeastLoaded.ts"
import * as WorkerRegistryMemory from "../../src/layers/WorkerRegistryMemory.ts"
import { Dispatcher } from "../../src/services/Dispatcher.ts"
import { Settings } from "../../src/services/Settings.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { makeRandom } from "../model/Random.ts"
import { makeWorker } from "./records.ts"

const lease = () => ({ next: undefined, previous: undefined }) as TaskRecord

const busy = (worker: WorkerRecord, leases: number) => {
  for (const task of worker.leases) worker.leases.delete(task)
  for (let i = 0; i < leases; i++) worker.leases.add(lease())
}

const make = (local: LocalPolicy = "when-alone") => {
  const registry = WorkerRegistryMemory.makeUnsafe(defaults)
  const dispatcher = DispatcherLeastLoaded.makeUnsafe({ registry, local })
  const add = (session: string, options: Parameters<typeof makeWorker>[1] = {}) => {
    const worker = makeWorker(session, options)
    registry.add(worker, [...worker.names].map((name) => ({ name })))
    dispatcher.update(worker)
    return worker
  }
  const remove = (worker: WorkerRecord) => {
    registry.remove(worker)
    dispatcher.remove(worker)
  }
  return { registry, dispatcher, add, remove }
}

describe("pick", () => {
  it("chooses the smallest share of busy slots, not the smallest number", () => {
    const { add, dispatcher } = make()
    const small = add("small", { slots: 2 })
    const large = add("large", { slots: 100 })
    busy(small, 1)
    busy(large, 49)
    dispatcher.update(small)
    dispatcher.update(large)

    const before = dispatcher.pick("t")
    busy(large, 51)
    dispatcher.update(large)

    assert.strictEqual(before, large)
    assert.strictEqual(dispatcher.pick("t"), small)
  })

  it("compares shares exactly: a third is a third, of whatever number of slots", () => {
    const { add, dispatcher } = make()
    const a = add("a", { slots: 3, servedAt: 2 })
    const b = add("b", { slots: 99_999, servedAt: 1 })
    busy(a, 1)
    busy(b, 33_333)
    dispatcher.update(a)
    dispatcher.update(b)

    assert.strictEqual(dispatcher.pick("t"), b)
  })

  it("chooses among equals the one with less expected work, then the one that was served longest ago", () => {
    const { add, dispatcher } = make()
    add("much", { expectedMillis: 20, servedAt: 1 })
    const little = add("little", { expectedMillis: 10, servedAt: 3 })
    const older = add("older", { expectedMillis: 10, servedAt: 2 })

    const first = dispatcher.pick("t")
    older.servedAt = 4
    dispatcher.update(older)

    assert.strictEqual(first, older)
    assert.strictEqual(dispatcher.pick("t"), little)
  })

  it("rotates among idle workers", () => {
    const { add, dispatcher } = make()
    const workers = ["a", "b", "c", "d", "e"].map((session) => add(session))
    const picked: Array<string> = []

    for (let turn = 1; turn <= 15; turn++) {
      const worker = dispatcher.pick("t")
      assert.isDefined(worker)
      picked.push(worker.session)
      worker.servedAt = turn
      dispatcher.update(worker)
    }

    const round = picked.slice(0, 5)
    assert.deepStrictEqual(round.toSorted(), workers.map(({ session }) => session))
    assert.deepStrictEqual(picked, [...round, ...round, ...round])
  })

  it("chooses only workers that have the handler", () => {
    const { add, dispatcher } = make()
    add("other", { names: ["u"] })
    const able = add("able", { names: ["t", "u"], slots: 10 })
    busy(able, 9)
    dispatcher.update(able)

    assert.strictEqual(dispatcher.pick("t"), able)
    assert.strictEqual(dispatcher.pick("u")?.session, "other")
    assert.isUndefined(dispatcher.pick("v"))
  })

  it("chooses nobody without credit: closed, full, lost, draining, or with leases that are not settled", () => {
    const { add, dispatcher } = make()
    const worker = add("w", { slots: 4, free: 4 })
    const changes: ReadonlyArray<Partial<WorkerRecord>> = [
      { isOpen: false },
      { free: 0 },
      { free: 2, unsettledLeases: 2 },
      { free: 1, unsettledLeases: 2 },
      { state: "lost" },
      { state: "draining" }
    ]

    for (const change of changes) {
      const before = { ...worker }
      Object.assign(worker, change)
      dispatcher.update(worker)
      assert.isUndefined(dispatcher.pick("t"), JSON.stringify(change))
      const { free, isOpen, state, unsettledLeases } = before
      Object.assign(worker, { free, isOpen, state, unsettledLeases })
      dispatcher.update(worker)
      assert.strictEqual(dispatcher.pick("t"), worker)
    }
    busy(worker, 4)
    dispatcher.update(worker)

    assert.isUndefined(dispatcher.pick("t"))
  })

  it("forgets a group with its last member", () => {
    const { add, dispatcher, remove } = make()
    const a = add("a", { names: ["t", "u"] })
    const b = add("b", { names: ["u", "t"] })

    remove(a)
    const rest = dispatcher.pick("t")
    remove(b)

    const none = dispatcher.pick("t")
    const c = add("c", { names: ["t"] })

    assert.strictEqual(rest, b)
    assert.isUndefined(none)
    assert.strictEqual(dispatcher.pick("t"), c)
    assert.isUndefined(dispatcher.pick("u"))
  })

  it("equals a search through all workers, over random sequences of changes", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = makeRandom(seed)
      const local = random.pick<LocalPolicy>(["when-alone", "always"])
      const { add, dispatcher, registry, remove } = make(local)
      const workers = new Set<WorkerRecord>()
      let served = 0

      for (let step = 0; step < 300; step++) {
        const what = random.below(20)
        if (what < 2 || workers.size === 0) {
          workers.add(add(`w${step}`, {
            slots: random.between(1, 5),
            free: random.between(0, 5),
            names: random.shuffle(["t", "u", "v"]).slice(0, random.between(1, 3)),
            local: random.chance(0.2),
            servedAt: ++served
          }))
        } else if (what < 3) {
          const worker = random.pick([...workers])
          workers.delete(worker)
          remove(worker)
        } else {
          const worker = random.pick([...workers])
          worker.isOpen = random.chance(0.8)
          worker.free = random.between(0, worker.slots)
          worker.unsettledLeases = random.between(0, 1)
          worker.expectedMillis = random.below(3)
          worker.state = random.chance(0.9) ? "active" : random.pick(["lost", "draining"])
          busy(worker, random.between(0, worker.slots))
          if (random.chance(0.5)) worker.servedAt = ++served
          dispatcher.update(worker)
        }
        for (const name of ["t", "u", "v"]) {
          const isRemote = [...workers].some((worker) => worker.names.has(name) && !worker.local)
          const able = [...workers].filter((worker) =>
            worker.names.has(name) && credit(worker) > 0 && (!worker.local || local === "always" || !isRemote)
          )
          const share = (worker: WorkerRecord) => worker.leases.size / worker.slots
          const [best] = able.toSorted((a, b) =>
            share(a) - share(b) || a.expectedMillis - b.expectedMillis || a.servedAt - b.servedAt
          )
          if (dispatcher.pick(name) !== best) {
            assert.fail(`seed ${seed}, step ${step}: ${dispatcher.pick(name)?.session} instead of ${best?.session}`)
          }
        }
        assert.strictEqual(registry.size(), workers.size)
      }
    }
  })
})

describe("the local worker", () => {
  it("gets, when it stands in, only what no other connected worker has a handler for", () => {
    const { add, dispatcher, remove } = make("when-alone")
    const here = add("here", { local: true, names: ["t", "u"] })
    const there = add("there", { names: ["t"], free: 0 })

    const whileBusy = [dispatcher.pick("t"), dispatcher.pick("u")]
    remove(there)

    assert.deepStrictEqual(whileBusy, [undefined, here])
    assert.strictEqual(dispatcher.pick("t"), here)
  })

  it("is one among others when it always works", () => {
    const { add, dispatcher } = make("always")
    const here = add("here", { local: true, servedAt: 1 })
    const there = add("there", { servedAt: 2 })

    const first = dispatcher.pick("t")
    busy(here, 1)
    dispatcher.update(here)

    assert.strictEqual(first, here)
    assert.strictEqual(dispatcher.pick("t"), there)
  })

  it("does not share a group with remote workers of the same handlers", () => {
    const { add, dispatcher } = make("when-alone")
    add("here", { local: true, servedAt: 0 })
    const there = add("there", { servedAt: 1 })

    assert.strictEqual(dispatcher.pick("t"), there)
  })

  it.effect("follows the policy of the settings", () =>
    Effect.gen(function*() {
      const registry = yield* WorkerRegistry
      const dispatcher = yield* Dispatcher
      const here = makeWorker("here", { local: true })
      for (const worker of [here, makeWorker("there", { servedAt: 1 })]) {
        registry.add(worker, [{ name: "t" }])
        dispatcher.update(worker)
      }

      assert.strictEqual(dispatcher.pick("t"), here)
    }).pipe(
      Effect.provide(DispatcherLeastLoaded.layer.pipe(Layer.provideMerge(WorkerRegistryMemory.layer))),
      Effect.provideService(Settings, { ...defaults, local: "always" })
    ))
})
