import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Event } from "../../src/domain/Event.ts"
import { TaskId } from "../../src/domain/Task.ts"
import * as EventBusPubSub from "../../src/layers/EventBusPubSub.ts"
import { EventBus } from "../../src/services/EventBus.ts"

const { bufferSize } = EventBusPubSub
const event = (at: number): Event => ({ type: "task.queued", at, id: TaskId.make(`${at}`), name: "t" })

/** Yields until a condition holds: followers begin on a later turn of the scheduler. */
const until = (condition: () => boolean) =>
  Effect.yieldNow.pipe(
    Effect.repeat({ until: () => condition(), times: 10_000 }),
    Effect.andThen(Effect.sync(() => assert.isTrue(condition())))
  )

/** Gives every fiber that can go on the chance to. */
const settled = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow, { discard: true })

describe("EventBusPubSub", () => {
  it.effect("gives each follower every event, in order, from when it began to follow", () =>
    Effect.gen(function*() {
      const bus = yield* EventBus
      bus.publish(event(0))
      const follow = bus.events.pipe(Stream.take(3), Stream.map(({ at }) => at), Stream.runCollect, Effect.forkChild)
      const first = yield* follow
      const second = yield* follow
      yield* until(bus.isFollowed)
      yield* settled

      for (const at of [1, 2, 3]) bus.publish(event(at))

      assert.deepStrictEqual([yield* Fiber.join(first), yield* Fiber.join(second)], [[1, 2, 3], [1, 2, 3]])
    }).pipe(Effect.provide(EventBusPubSub.layer)))

  it.effect("lets a slow follower lose the oldest events, and holds nobody up", () =>
    Effect.gen(function*() {
      const bus = yield* EventBus
      const isBusy = yield* Deferred.make<void>()
      const isFree = yield* Deferred.make<void>()
      const total = 3 * bufferSize
      const received: Array<number> = []
      const slow = yield* bus.events.pipe(
        Stream.tap(({ at }) =>
          at === 0 ? Effect.andThen(Deferred.succeed(isBusy, undefined), Deferred.await(isFree)) : Effect.void
        ),
        Stream.takeUntil(({ at }) => at === total),
        Stream.runForEach(({ at }) => Effect.sync(() => received.push(at))),
        Effect.forkChild
      )
      yield* until(bus.isFollowed)
      yield* settled
      bus.publish(event(0))
      yield* Deferred.await(isBusy)

      for (let at = 1; at <= total; at++) bus.publish(event(at))
      yield* Deferred.succeed(isFree, undefined)
      yield* Fiber.join(slow)

      const after = received.slice(1)
      assert.strictEqual(received[0], 0)
      assert.isAtMost(after.length, bufferSize)
      assert.isAtLeast(after.length, bufferSize / 2)
      assert.deepStrictEqual(after, Array.from({ length: after.length }, (_, i) => total - after.length + 1 + i))
    }).pipe(Effect.provide(EventBusPubSub.layer)))

  it.effect("is followed from the first follower to the last, also when one is interrupted", () =>
    Effect.gen(function*() {
      const bus = yield* EventBus
      const before = bus.isFollowed()
      const one = yield* Effect.forkChild(Stream.runDrain(bus.events))
      const other = yield* Effect.forkChild(Stream.runDrain(bus.events))
      yield* until(bus.isFollowed)
      yield* settled
      yield* Fiber.interrupt(one)
      const during = bus.isFollowed()
      yield* Fiber.interrupt(other)

      assert.deepStrictEqual([before, during, bus.isFollowed()], [false, true, false])
    }).pipe(Effect.provide(EventBusPubSub.layer)))

  it.effect("is not followed by a follower that was interrupted before it began", () =>
    Effect.gen(function*() {
      const bus = yield* EventBus
      for (let i = 0; i < 5; i++) {
        const follower = yield* Effect.forkChild(Stream.runDrain(bus.events))
        yield* Fiber.interrupt(follower)
      }

      assert.isFalse(bus.isFollowed())
    }).pipe(Effect.provide(EventBusPubSub.layer)))

  it.effect("goes on for the others when one follower does not move", () =>
    Effect.gen(function*() {
      const bus = yield* EventBus
      const stuck = yield* bus.events.pipe(Stream.runForEach(() => Effect.never), Effect.forkChild)
      const last = 2 * bufferSize
      const quick = yield* bus.events.pipe(
        Stream.map(({ at }) => at),
        Stream.takeUntil((at) => at === last),
        Stream.runLast,
        Effect.forkChild
      )
      yield* until(bus.isFollowed)
      yield* settled

      for (let at = 1; at <= last; at++) {
        bus.publish(event(at))
        if (at % 100 === 0) yield* settled
      }

      assert.deepStrictEqual(yield* Fiber.join(quick), Option.some(last))
      yield* Fiber.interrupt(stuck)
    }).pipe(Effect.provide(EventBusPubSub.layer)))

  it.effect("holds nothing for nobody: what was published without followers is not given to a later one", () =>
    Effect.gen(function*() {
      const bus = yield* EventBus
      for (let at = 0; at < 10; at++) bus.publish(event(at))

      const follower = yield* bus.events.pipe(Stream.take(1), Stream.runCollect, Effect.forkChild)
      yield* until(bus.isFollowed)
      yield* settled
      bus.publish(event(99))

      assert.deepStrictEqual((yield* Fiber.join(follower)).map(({ at }) => at), [99])
    }).pipe(Effect.provide(EventBusPubSub.layer)))
})
