import { assert, describe, it } from "@effect/vitest"
import type { Session } from "../../src/layers/Sessions.ts"
import { makeSessions } from "../../src/layers/Sessions.ts"
import { makeRandom } from "../model/Random.ts"
import { makeOutcome } from "./records.ts"

const make = () => makeSessions({ maxSessions: 3, sessionTimeoutMillis: 1_000 })

const open = (sessions: ReturnType<typeof make>, token: string, now = 0): Session => {
  const session = sessions.open(token, now)
  if (session === undefined) throw new Error(`no session ${token}`)
  return session
}

const pending = ({ head, outbox }: Session) => outbox.slice(head).map(({ id }) => id)

describe("deliver", () => {
  it("reaches the watchers, each once, and nobody else", () => {
    const sessions = make()
    const [a, b, c] = [open(sessions, "a"), open(sessions, "b"), open(sessions, "c")]

    sessions.deliver(["a", "b", "gone"], makeOutcome("1"))
    sessions.deliver(["b"], makeOutcome("2"))

    assert.deepStrictEqual([pending(a), pending(b), pending(c)], [["1"], ["1", "2"], []])
    assert.deepStrictEqual(sessions.takeReady().map(({ token }) => token), ["a", "b"])
    assert.deepStrictEqual(sessions.takeReady(), [])
  })
})

describe("acknowledge", () => {
  it("drops the outcomes up to a number, once, and keeps the rest in order", () => {
    const sessions = make()
    const session = open(sessions, "a")
    for (const id of ["1", "2", "3"]) sessions.deliver(["a"], makeOutcome(id))

    sessions.acknowledge(session, session.acked + 2)
    sessions.acknowledge(session, session.acked)
    sessions.acknowledge(session, session.acked - 1)

    assert.deepStrictEqual(pending(session), ["3"])
    assert.strictEqual(sessions.pending(session), 1)
  })

  it("drops no more than there are", () => {
    const sessions = make()
    const session = open(sessions, "a")
    sessions.deliver(["a"], makeOutcome("1"))

    sessions.acknowledge(session, 1_000_000)
    sessions.deliver(["a"], makeOutcome("2"))

    assert.deepStrictEqual([pending(session), session.acked], [["2"], 1])
  })

  it("keeps the order over many outcomes and partial acknowledgements", () => {
    const random = makeRandom(5)
    const sessions = make()
    const session = open(sessions, "a")
    const received: Array<string> = []
    let delivered = 0

    while (received.length < 20_000) {
      for (let i = random.below(2_500); i > 0; i--) sessions.deliver(["a"], makeOutcome(`${delivered++}`))
      const batch = pending(session).slice(0, random.below(3_000))
      received.push(...batch)
      sessions.acknowledge(session, session.acked + batch.length)
    }

    assert.strictEqual(session.acked, received.length)
    assert.isTrue(received.every((id, i) => id === `${i}`))
    assert.isBelow(session.outbox.length, 2 * (delivered - received.length) + 2_048)
  })
})

describe("open", () => {
  it("returns nothing for one session more than the bound", () => {
    const sessions = make()
    for (const token of ["a", "b", "c"]) open(sessions, token)

    assert.isUndefined(sessions.open("d", 0))
    assert.isDefined(sessions.open("c", 0))
    assert.strictEqual(sessions.size(), 3)
  })

  it("begins a forgotten session above the numbers that it gave out, so that no old acknowledgement fits", () => {
    const sessions = make()
    const before = open(sessions, "a")
    for (const id of ["1", "2", "3"]) sessions.deliver(["a"], makeOutcome(id))
    const old = before.acked + 3
    sessions.expire(1_000)

    const after = open(sessions, "a", 1_000)
    sessions.deliver(["a"], makeOutcome("new"))
    sessions.acknowledge(after, old)

    assert.deepStrictEqual(pending(after), ["new"])
    assert.isAtLeast(after.acked, old)
  })
})

describe("forgive", () => {
  it("does not count a time in which no session could be heard, but no session is newer than now", () => {
    const sessions = make()
    open(sessions, "before", 100)
    open(sessions, "since", 5_200)

    sessions.forgive(5_000, 5_200)
    sessions.expire(6_099)
    const both = sessions.size()
    sessions.expire(6_100)
    const one = sessions.size()
    sessions.expire(6_200)

    assert.deepStrictEqual([both, one, sessions.size()], [2, 1, 0])
  })
})

describe("expire", () => {
  it("forgets a session that was not used for the timeout, not before", () => {
    const sessions = make()
    open(sessions, "a", 0)
    open(sessions, "b", 0)
    open(sessions, "a", 500)

    sessions.expire(999)
    const before = sessions.size()
    sessions.expire(1_000)
    const first = sessions.size()
    sessions.expire(1_500)

    assert.deepStrictEqual([before, first, sessions.size()], [2, 1, 0])
  })

  it("forgets what the session was answered, and not what others were", () => {
    const sessions = make()
    open(sessions, "a", 0)
    open(sessions, "b", 500)
    for (const token of ["a", "b"]) {
      sessions.answers.remember(token, 1, { count: 0, first: undefined, ids: undefined, refused: [] })
    }

    sessions.expire(1_000)

    assert.isUndefined(sessions.answers.find("a", 1))
    assert.isDefined(sessions.answers.find("b", 1))
  })
})
