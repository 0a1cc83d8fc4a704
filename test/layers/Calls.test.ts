/** Versions of the protocol: what a client says when the control plane speaks none that it does. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { ProtocolMismatch } from "../../src/domain/Errors.ts"
import type { Settings as Values } from "../../src/domain/Settings.ts"
import { defaults } from "../../src/domain/Settings.ts"
import * as ClientRemote from "../../src/layers/ClientRemote.ts"
import * as DiscoveryNng from "../../src/layers/DiscoveryNng.ts"
import * as DiscoveryStatic from "../../src/layers/DiscoveryStatic.ts"
import * as TransportMemory from "../../src/layers/TransportMemory.ts"
import { Client } from "../../src/services/Client.ts"
import type { Discovery } from "../../src/services/Discovery.ts"
import { Settings } from "../../src/services/Settings.ts"
import { Transport } from "../../src/services/Transport.ts"
import { until } from "../harness/Until.ts"

const discovery = "memory://discovery"
const address = "memory://plane"

const announcement = (epoch: string, v: number, versions?: ReadonlyArray<number>) =>
  `fastworker/default ${
    JSON.stringify({
      v,
      ...(versions && { versions }),
      epoch: epoch.repeat(32),
      namespace: "default",
      address,
      workerAddress: address
    })
  }`

/** A control plane that answers everything the same, or nothing. */
const serve = (reply: () => object | undefined) =>
  Effect.flatMap(Transport, (transport) =>
    transport.serve(address, {
      maxMessageBytes: 1024,
      onRequest: (request) => {
        const answer = reply()
        if (answer !== undefined) request.reply([JSON.stringify(answer)])
      },
      onClose: () => {},
      onRefused: () => {}
    }))

const connect = (layer: Layer.Layer<Discovery, never, Transport>, settings: Partial<Values> = {}) =>
  Effect.flatMap(Transport, (transport) =>
    Layer.build(
      ClientRemote.layer.pipe(
        Layer.provide(layer),
        Layer.provide([
          Layer.succeed(Transport, transport),
          Layer.succeed(Settings, { ...defaults, discovery, deadlineMillis: 60_000, ...settings })
        ])
      )
    )).pipe(Effect.map((context) => Context.get(context, Client)))

const publish = Effect.fnUntraced(function*(...messages: ReadonlyArray<string>) {
  const transport = yield* Transport
  let welcome = messages
  const publisher = yield* transport.publish(discovery, { welcome: () => welcome.slice(-1) })
  return (message: string) =>
    Effect.sync(() => {
      welcome = [message]
      publisher.send([message])
    })
})

describe("a control plane of another version", () => {
  const test = <E>(title: string, effect: Effect.Effect<void, E, Transport | Scope.Scope>) =>
    it.live(title, () => effect.pipe(Effect.scoped, Effect.provide(TransportMemory.layer())))

  test(
    "that announces itself is why a call fails, long before its deadline; one that comes later is used",
    Effect.gen(function*() {
      const announce = yield* publish(announcement("a", 3, [3, 2]))
      const client = yield* connect(DiscoveryNng.layer)

      const error = yield* Effect.flip(client.workers)
      const again = yield* Effect.flip(client.stats)
      yield* serve(() => ({ v: 1, workers: [] }))
      yield* announce(announcement("b", 2, [2, 1]))
      yield* until("it is used", Effect.orElseSucceed(Effect.as(client.workers, true), () => false))

      assert.deepStrictEqual(error, new ProtocolMismatch({ ours: [1], theirs: [3, 2] }))
      assert.deepStrictEqual(again, error)
      assert.strictEqual(
        error.message,
        "The peer speaks protocol version 3, 2, this side speaks 1: update the older one"
      )
    })
  )

  test(
    "that takes the place of one that is connected is why calls fail that get no answer",
    Effect.gen(function*() {
      const announce = yield* publish(announcement("a", 1))
      let isSilent = false
      yield* serve(() => isSilent ? undefined : { v: 1, workers: [] })
      const client = yield* connect(DiscoveryNng.layer, { deadlineMillis: 200 })
      assert.deepStrictEqual(yield* client.workers, [])

      isSilent = true
      yield* announce(announcement("b", 2))

      assert.instanceOf(yield* Effect.flip(client.workers), ProtocolMismatch)
    })
  )

  test(
    "that refuses is understood, whatever version its refusal is of",
    Effect.gen(function*() {
      yield* serve(() => ({ v: 2, error: { _tag: "ProtocolMismatch", ours: [2], theirs: 1, message: "update" } }))
      const client = yield* connect(DiscoveryStatic.layer({ address }))

      const error = yield* Effect.flip(client.stats)

      assert.deepStrictEqual(error, new ProtocolMismatch({ ours: [1], theirs: [2] }))
    })
  )

  test(
    "is not taken at its word when it says nothing that can be read: the call says so",
    Effect.gen(function*() {
      yield* serve(() => ({ v: 1, error: { _tag: "NewlyInvented" } }))
      const client = yield* connect(DiscoveryStatic.layer({ address }))

      // Its reply has no fields: a refusal must not pass for it.
      const error = yield* Effect.flip(client.pause())

      assert.strictEqual(error._tag, "BadRequest")
    })
  )
})
