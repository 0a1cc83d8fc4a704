/**
 * Events by Effect's PubSub: each follower has a buffer of {@link bufferSize} events and loses the oldest when it is
 * slower. Publishing without followers costs a comparison.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { Event } from "../domain/Event.ts"
import { EventBus } from "../services/EventBus.ts"

/**
 * Events that are kept for a slow follower.
 *
 * @category constants
 * @since 0.1.0
 */
export const bufferSize = 4096

/**
 * Creates the event bus.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function*() {
  const pubsub = yield* Effect.acquireRelease(PubSub.sliding<Event>(bufferSize), PubSub.shutdown)
  const runSync = Effect.runSyncWith(yield* Effect.context())
  let followers = 0
  const events = Stream.fromPubSub(pubsub).pipe(
    Stream.onStart(Effect.sync(() => followers++)),
    Stream.ensuring(Effect.sync(() => followers--))
  )
  return EventBus.of({
    isFollowed: () => followers > 0,
    publish(event) {
      // The unsafe way is fast and does not slide: it refuses when the slowest follower's buffer is full.
      if (!PubSub.publishUnsafe(pubsub, event)) runSync(PubSub.publish(pubsub, event))
    },
    events
  })
})

/**
 * Layer that distributes events inside this process.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<EventBus> = Layer.effect(EventBus, make)
