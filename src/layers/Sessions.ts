/**
 * The sessions of clients: for each a numbered outbox of outcomes that it watches, kept until it acknowledges them.
 * Bounded in sessions and in outcomes per session; a session that does not collect for a while is forgotten, and with it
 * what its submissions were answered. Part of the control plane's core: synchronous, with the time as an argument.
 *
 * @since 0.1.0
 */
import type { Body } from "../domain/Body.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Settings as Values } from "../domain/Settings.ts"
import type { Answers } from "./Answers.ts"
import { makeAnswers } from "./Answers.ts"

/**
 * The session of one client.
 *
 * @category models
 * @since 0.1.0
 */
export interface Session {
  readonly token: string
  /** The token alone in a list, shared by all the tasks that only this session watches. */
  readonly watchers: ReadonlyArray<string>
  /**
   * Outcomes from `head` on are not acknowledged yet; the one at `head` has the number `acked` + 1. A session does not
   * begin at 0 but above every number given out so far: an acknowledgement that was meant for a forgotten session of the
   * same client must not drop outcomes of the new one.
   */
  outbox: Array<Outcome>
  head: number
  acked: number
  lastSeen: number
  /** Tasks of which it wants what their handlers report. */
  readonly interests: Set<string>
  /** The newest of that which was not collected. */
  progress: Map<string, Body>
}

/**
 * The sessions of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sessions {
  /** Returns the session with this token, which begins with its first use. `undefined` when there are too many. */
  readonly open: (token: string, now: number) => Session | undefined
  readonly has: (token: string) => boolean
  /** Puts an outcome into the outbox of each watcher that is still there. */
  readonly deliver: (watchers: ReadonlyArray<string>, outcome: Outcome) => void
  /** Tells each watcher that wants to know what a handler reported; an older report that was not collected is replaced. */
  readonly progress: (watchers: ReadonlyArray<string>, id: string, body: Body) => void
  /** Takes what handlers reported since the last call. */
  readonly takeProgress: (session: Session) => ReadonlyMap<string, Body>
  /** Drops the outcomes up to and including this number. */
  readonly acknowledge: (session: Session, number: number) => void
  /** Outcomes that are not acknowledged, oldest first. */
  readonly pending: (session: Session) => number
  /** Does not count the time of this length before `now`: nobody could be heard then. */
  readonly forgive: (millis: number, now: number) => void
  /** Forgets sessions that did not collect for too long. */
  readonly expire: (now: number) => void
  readonly size: () => number
  /** What their submissions were answered. */
  readonly answers: Answers
  /** Sessions with news since the last call. */
  readonly takeReady: () => ReadonlyArray<Session>
}

/**
 * Creates the sessions of a control plane.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSessions = (
  { maxSessions, sessionTimeoutMillis }: Pick<Values, "maxSessions" | "sessionTimeoutMillis">
): Sessions => {
  const sessions = new Map<string, Session>()
  const answers = makeAnswers()
  let ready = new Set<Session>()
  let delivered = 0
  return {
    open(token, now) {
      const known = sessions.get(token)
      if (known !== undefined) {
        known.lastSeen = now
        return known
      }
      if (sessions.size >= maxSessions) return undefined
      const session: Session = {
        token,
        watchers: [token],
        outbox: [],
        head: 0,
        acked: delivered,
        lastSeen: now,
        interests: new Set(),
        progress: new Map()
      }
      sessions.set(token, session)
      return session
    },
    has: (token) => sessions.has(token),
    deliver(watchers, outcome) {
      for (const token of watchers) {
        const session = sessions.get(token)
        if (session === undefined) continue
        session.outbox.push(outcome)
        if (session.interests.size > 0) session.interests.delete(outcome.id)
        delivered++
        ready.add(session)
      }
    },
    progress(watchers, id, body) {
      for (const token of watchers) {
        const session = sessions.get(token)
        if (session === undefined || !session.interests.has(id)) continue
        session.progress.set(id, body)
        ready.add(session)
      }
    },
    takeProgress(session) {
      const { progress } = session
      if (progress.size > 0) session.progress = new Map()
      return progress
    },
    acknowledge(session, number) {
      const count = Math.min(number - session.acked, session.outbox.length - session.head)
      if (count <= 0) return
      session.acked += count
      session.head += count
      if (session.head === session.outbox.length) {
        session.outbox = []
        session.head = 0
      } else if (session.head >= 1024 && session.head * 2 >= session.outbox.length) {
        session.outbox = session.outbox.slice(session.head)
        session.head = 0
      }
    },
    pending: (session) => session.outbox.length - session.head,
    forgive(millis, now) {
      for (const session of sessions.values()) session.lastSeen = Math.min(session.lastSeen + millis, now)
    },
    expire(now) {
      for (const session of sessions.values()) {
        if (now - session.lastSeen < sessionTimeoutMillis) continue
        sessions.delete(session.token)
        answers.forget(session.token)
      }
    },
    size: () => sessions.size,
    answers,
    takeReady() {
      if (ready.size === 0) return []
      const taken = [...ready]
      ready = new Set()
      return taken
    }
  }
}
