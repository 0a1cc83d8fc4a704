import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Announcement } from "../../src/domain/Message.ts"
import { protocolVersion } from "../../src/domain/Message.ts"
import { defaults } from "../../src/domain/Settings.ts"
import * as DiscoveryNng from "../../src/layers/DiscoveryNng.ts"
import * as DiscoveryStatic from "../../src/layers/DiscoveryStatic.ts"
import * as TransportMemory from "../../src/layers/TransportMemory.ts"
import { Discovery } from "../../src/services/Discovery.ts"
import { Settings } from "../../src/services/Settings.ts"
import { Transport } from "../../src/services/Transport.ts"
import { until } from "../harness/Until.ts"

const address = "memory://discovery"

const announcement = (namespace: string, epoch: string): Announcement => ({
  v: protocolVersion,
  namespace,
  epoch: epoch.repeat(32),
  address: `memory://clients-${epoch}`,
  workerAddress: `memory://workers-${epoch}`
})

/** Discovery of one namespace, on the transport at hand. */
const discovery = (namespace: string) =>
  DiscoveryNng.make.pipe(
    Effect.provideService(Settings, { ...defaults, namespace, discovery: address, announceMillis: 20 })
  )

const find = Effect.fnUntraced(function*(namespace: string) {
  const found: Array<string> = []
  yield* (yield* discovery(namespace)).find(({ address }) => found.push(address))
  return found
})

describe("DiscoveryNng", () => {
  const test = <E>(title: string, effect: Effect.Effect<void, E, Transport | Scope.Scope>) =>
    it.live(title, () => effect.pipe(Effect.scoped, Effect.provide(TransportMemory.layer())))

  for (const namespace of ["default", "grün", "日本語 namespace"]) {
    test(
      `finds the control plane of the namespace "${namespace}", once, before or after it announces itself`,
      Effect.gen(function*() {
        const early = yield* find(namespace)
        yield* (yield* discovery(namespace)).announce(announcement(namespace, "a"))
        const late = yield* find(namespace)

        yield* until("both to find it", () => early.length > 0 && late.length > 0)
        // Longer than several announcements.
        yield* Effect.sleep(100)

        assert.deepStrictEqual([early, late], [["memory://clients-a"], ["memory://clients-a"]])
      })
    )
  }

  test(
    "finds it again after a restart, under its new addresses",
    Effect.gen(function*() {
      const found = yield* find("default")
      const scope = yield* Scope.make()
      yield* (yield* discovery("default")).announce(announcement("default", "a")).pipe(Scope.provide(scope))
      yield* until("the first", () => found.length === 1)

      yield* Scope.close(scope, Exit.void)
      yield* (yield* discovery("default")).announce(announcement("default", "b"))
      yield* until("the second", () => found.length === 2)

      assert.deepStrictEqual(found, ["memory://clients-a", "memory://clients-b"])
    })
  )

  test(
    "does not find those of other namespaces, nor whatever else is published there",
    Effect.gen(function*() {
      const transport = yield* Transport
      const mine = yield* find("app")
      const publisher = yield* transport.publish(address, { welcome: () => ["hello"] })
      const valid = JSON.stringify(announcement("app", "a"))

      const rubbish = [
        "fastworker/app {",
        "fastworker/app []",
        "fastworker/app2 " + valid,
        "fastworker/ap " + valid,
        "fastworker/app"
      ]
      for (const message of rubbish) publisher.send([message])
      publisher.send([`fastworker/app ${valid}`])
      yield* until("the valid one", () => mine.length > 0)

      assert.deepStrictEqual(mine, ["memory://clients-a"])
    })
  )

  test(
    "fails to announce where somebody else does",
    Effect.gen(function*() {
      const first = yield* discovery("app")
      yield* first.announce(announcement("app", "a"))

      const error = yield* Effect.flip((yield* discovery("other")).announce(announcement("other", "b")))

      assert.strictEqual(error._tag, "AddressError")
      assert.strictEqual(error.address, address)
    })
  )
})

describe("DiscoveryStatic", () => {
  it.effect("finds what it was told, at once", () =>
    Effect.gen(function*() {
      const found: Array<readonly [string, string]> = []
      const discovery = yield* Discovery
      yield* discovery.find(({ address, workerAddress }) => found.push([address, workerAddress]))

      assert.deepStrictEqual(found, [["tcp://a:1", ""]])
      assert.strictEqual(discovery.address, "tcp://a:1")
    }).pipe(Effect.scoped, Effect.provide(DiscoveryStatic.layer({ address: "tcp://a:1" }))))

  it.effect("names the worker address where there is no other", () =>
    Effect.gen(function*() {
      const discovery = yield* Discovery

      assert.strictEqual(discovery.address, "tcp://w:1")
    }).pipe(Effect.provide(Layer.fresh(DiscoveryStatic.layer({ workerAddress: "tcp://w:1" })))))
})
