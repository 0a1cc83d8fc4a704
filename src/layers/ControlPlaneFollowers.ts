/**
 * Clients that follow the events of a control plane: each has a buffer of the newest events that it wants, which its long
 * poll takes. Bounded in followers and in events; who does not poll for a while is forgotten.
 *
 * @since 0.1.0
 */
import { BadRequest } from "../domain/Errors.ts"
import type { Event } from "../domain/Event.ts"
import * as Message from "../domain/Message.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { Incoming } from "../services/Transport.ts"
import * as Envelope from "./Envelope.ts"

/** Events kept for one follower; the oldest are dropped, and counted. */
const maxEvents = 10_000

/** Events of one reply. */
const maxReplyEvents = 1_000

/** Followers, at most. */
const maxFollowers = 100

type Request = typeof Message.Events.Type

interface Follower {
  wants: (event: Event) => boolean
  events: Array<Event>
  dropped: number
  lastSeen: number
  waiting: { readonly request: Incoming; readonly until: number } | undefined
}

/**
 * Those who follow the events of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type Followers = ReturnType<typeof makeFollowers>

const wants = ({ id, name, types }: Request) => (event: Event): boolean =>
  (types === undefined || types.includes(event.type)) &&
  (name === undefined || ("name" in event && event.name === name)) &&
  (id === undefined || ("id" in event && event.id === id))

const v = Message.protocolVersion

/**
 * Creates the followers of a control plane.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeFollowers = ({ schedule, settings }: {
  readonly settings: Pick<Values, "sessionTimeoutMillis">
  /** Asks for `flush` at the end of this turn. */
  readonly schedule: () => void
}) => {
  const followers = new Map<string, Follower>()

  const reply = (follower: Follower) => {
    const { dropped, waiting } = follower
    const events = follower.events.slice(0, maxReplyEvents)
    follower.events = follower.events.slice(maxReplyEvents)
    follower.dropped = 0
    follower.waiting = undefined
    waiting?.request.reply(Envelope.encode({ v, events, dropped }))
  }

  return {
    isFollowed: () => followers.size > 0,

    publish(event: Event) {
      for (const follower of followers.values()) {
        if (!follower.wants(event)) continue
        follower.events.push(event)
        if (follower.events.length > maxEvents) {
          // In large steps: to take the oldest away one by one would move all others each time.
          const surplus = maxEvents / 10
          follower.events = follower.events.slice(surplus)
          follower.dropped += surplus
        }
        if (follower.waiting !== undefined) schedule()
      }
    },

    /** Answers a poll, now or when there is something. The first one of a session begins to follow. */
    answer(request: Incoming, message: Request, now: number) {
      let follower = followers.get(message.session)
      if (follower === undefined) {
        if (followers.size >= maxFollowers) {
          return request.reply(
            Envelope.encodeError(new BadRequest({ reason: `too many followers, the bound is ${maxFollowers}` }))
          )
        }
        follower = { wants: wants(message), events: [], dropped: 0, lastSeen: now, waiting: undefined }
        followers.set(message.session, follower)
      }
      // A poll that waits already was overtaken: its connection is gone, or this is a copy of it.
      if (follower.waiting !== undefined) reply(follower)
      follower.wants = wants(message)
      follower.lastSeen = now
      follower.waiting = { request, until: now + (message.wait ?? 0) }
      if (follower.events.length > 0 || message.wait === undefined || message.wait === 0) reply(follower)
    },

    /** Answers those who wait and for whom there is something. */
    flush() {
      for (const follower of followers.values()) {
        if (follower.waiting !== undefined && follower.events.length > 0) reply(follower)
      }
    },

    /** Answers polls that have waited as long as they asked to, and forgets who does not come back. */
    sweep(now: number) {
      for (const [session, follower] of followers) {
        if (follower.waiting !== undefined) {
          follower.lastSeen = now
          if (now >= follower.waiting.until) reply(follower)
        } else if (now - follower.lastSeen >= settings.sessionTimeoutMillis / 4) followers.delete(session)
      }
    }
  }
}
