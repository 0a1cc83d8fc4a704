/**
 * The events of a control plane as a client follows them: each stream polls for itself, with a session of its own, also
 * while nobody takes from it. Bounded: what a slow reader leaves is dropped, and counted.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { CallError } from "../domain/Errors.ts"
import type { Event } from "../domain/Event.ts"
import * as Message from "../domain/Message.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { Client, EventsDropped } from "../services/Client.ts"
import type { Calls } from "./Calls.ts"
import { callError } from "./Calls.ts"
import * as Reply from "./Reply.ts"

/** Events that wait for their reader, at most. */
const bufferSize = 10_000

const decodeEventsReply = Reply.decoder(Message.EventsReply)

/**
 * Creates the events of a client.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeEvents = (
  { ask, isClosed }: Calls,
  { heartbeatMillis }: Pick<Values, "heartbeatMillis">,
  randomId: () => string
): Client["Service"]["events"] => {
  const waitMillis = Math.min(2 * heartbeatMillis, Message.maxWaitMillis)
  return (filter = {}) =>
    Stream.callback<Event | EventsDropped, CallError>((queue) => {
      const session = randomId()
      const poll = (wait: number) =>
        ask({ op: "events", session, wait, ...filter }, decodeEventsReply, wait).pipe(
          Effect.mapError(callError),
          Effect.map(take)
        )
      let dropped = 0
      const take = (reply: typeof Message.EventsReply.Type) => {
        dropped += reply.dropped
        if (dropped > 0 && Queue.offerUnsafe(queue, { type: "dropped", count: dropped })) dropped = 0
        dropped += Queue.offerAllUnsafe(queue, reply.events).length
      }
      const pollOn = poll(waitMillis).pipe(
        Effect.retry({ while: ({ _tag }) => _tag === "Unreachable" && !isClosed() }),
        Effect.forever
      )
      // The first does not wait: it says whether there is anybody.
      return Effect.andThen(poll(0), pollOn)
    }, { bufferSize, strategy: "dropping" })
}
