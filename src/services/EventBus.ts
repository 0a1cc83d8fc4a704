/**
 * Contract of the event bus: what happened, for whoever follows. Best effort: a slow follower loses the oldest events.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Stream from "effect/Stream"
import type { Event } from "../domain/Event.ts"

/**
 * Service that distributes events.
 *
 * @category services
 * @since 0.1.0
 */
export class EventBus extends Context.Service<EventBus, {
  /** Whether somebody follows: when not, events need not even be made. */
  readonly isFollowed: () => boolean
  readonly publish: (event: Event) => void
  /** The events from now on. */
  readonly events: Stream.Stream<Event>
}>()("fastworker/services/EventBus") {}
