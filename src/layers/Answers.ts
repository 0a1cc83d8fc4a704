/**
 * What submissions of a session were answered, by the number of their message. A copy that comes later, sent again over a
 * bad network, gets the same answer and has no other effect: what was refused is not accepted because the queue has room
 * by then, and what was accepted is not refused because it has ended.
 *
 * Bounded for each session and altogether, the oldest go first. Part of the control plane's core: synchronous.
 *
 * @since 0.1.0
 */

/**
 * The answer to a submission.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer {
  /** How many tasks it is to, and the id of the first, if that was sent: the marks of the message. */
  readonly count: number
  readonly first: string | undefined
  /** Of all its tasks, if some are not those that were sent. */
  readonly ids: ReadonlyArray<string | null> | undefined
  readonly refused: ReadonlyArray<{ readonly index: number; readonly error: unknown }>
}

/**
 * The answers that a control plane remembers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answers {
  /** Remembers the answer to a message of a session, or another one. */
  readonly remember: (token: string, seq: number, answer: Answer) => void
  readonly find: (token: string, seq: number) => Answer | undefined
  /** Forgets those of a session. */
  readonly forget: (token: string) => void
}

/** Answers that are remembered of one session; of more, the newest. */
const maxAnswers = 1_000

/** Bytes of all that are remembered, of all sessions, about. */
const maxBytes = 64 * 1024 * 1024

/** Bytes of an answer that all was accepted. */
const entryBytes = 200

interface Entry {
  readonly token: string
  readonly seq: number
  readonly answer: Answer
  readonly bytes: number
}

/**
 * Creates an empty memory of answers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeAnswers = (): Answers => {
  const sessions = new Map<string, Map<number, Entry>>()
  /** In the order in which they came. */
  const all = new Set<Entry>()
  let bytes = 0

  const drop = (entry: Entry) => {
    all.delete(entry)
    bytes -= entry.bytes
    const entries = sessions.get(entry.token)
    entries?.delete(entry.seq)
    if (entries?.size === 0) sessions.delete(entry.token)
  }

  return {
    remember(token, seq, answer) {
      const before = sessions.get(token)?.get(seq)
      if (before !== undefined) drop(before)
      let entries = sessions.get(token)
      if (entries === undefined) sessions.set(token, entries = new Map())
      const entry = { token, seq, answer, bytes: entryBytes + JSON.stringify([answer.ids, answer.refused]).length }
      entries.set(seq, entry)
      all.add(entry)
      bytes += entry.bytes
      const [oldest] = entries.values()
      if (oldest !== undefined && entries.size > maxAnswers) drop(oldest)
      for (const oldest of all) {
        if (bytes <= maxBytes) break
        drop(oldest)
      }
    },
    find: (token, seq) => sessions.get(token)?.get(seq)?.answer,
    forget(token) {
      for (const entry of sessions.get(token)?.values() ?? []) drop(entry)
    }
  }
}
