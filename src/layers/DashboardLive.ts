/**
 * The live stream of the dashboard: server-sent events, first a snapshot, then at most five frames a second with what
 * changed. A frame is made and encoded once for everybody. No client has a queue: one that is behind, because it is slow or
 * was away, gets all that it missed as one frame, or a snapshot when that is older than what is kept.
 *
 * Costs nothing while nobody listens. Owns the numbers of frames and the frames of the last 30 seconds; what the control
 * plane knows is the feed's business.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Buffer } from "node:buffer"
import type { Frame, Snapshot } from "../domain/View.ts"
import type { Feed } from "../services/History.ts"
import type { Parts } from "./LiveFrames.ts"
import { changesBetween, mergeFrames, partsOf } from "./LiveFrames.ts"

/** How often a frame is made. */
const frameMillis = 200

/** Frames are kept for this long, and at most so many and so many bytes of them. */
const keptMillis = 30_000
const maxKept = 256
const maxKeptBytes = 8 * 1024 * 1024

/** A stream says something at least so often. */
const heartbeatMillis = 5_000

/**
 * Live streams at a time, at most.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxStreams = 256

interface Kept {
  readonly at: number
  readonly frame: Frame
  readonly bytes: Uint8Array
}

/** What a stream that listens has been sent. */
interface Listener {
  seq: number
  sentAt: number
  /** Goes on with the stream; `undefined` while it is being written. */
  wake: (() => void) | undefined
}

/**
 * The live stream.
 *
 * @category models
 * @since 0.1.0
 */
export type DashboardLive = ReturnType<typeof makeLive>

const encode = (event: string, seq: number, json: string) =>
  Buffer.from(`event: ${event}\nid: ${seq}\ndata: ${json}\n\n`)

const heartbeat = Buffer.from(": still here\n\n")
/** Flushes the headers, and says how soon to come back after the end. */
const greeting = Buffer.from("retry: 1000\n\n")

/**
 * Creates the live stream. `now` is monotonic, `wallNow` milliseconds since 1970.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeLive = ({ feed, now, wallNow }: {
  readonly feed: Feed
  readonly now: () => number
  readonly wallNow: () => number
}) => {
  const listeners = new Set<Listener>()
  let kept: Array<Kept> = []
  let keptBytes = 0
  // Frames come at most five times a second: no number of a control plane before this one is ever reached again.
  let seq = Math.floor(wallNow() / frameMillis)
  /** What was told last; `undefined` when there is nothing that a frame could follow on. */
  let told: { readonly parts: Parts; readonly position: number; readonly second: number } | undefined
  let encoded: { readonly seq: number; readonly at: number; readonly bytes: Uint8Array } | undefined
  let timer: NodeJS.Timeout | undefined
  let forgetTimer: NodeJS.Timeout | undefined
  let isClosed = false

  /** Makes a frame of what has changed, if anything has. */
  const advance = (): Parts => {
    const view = feed.snapshot()
    const parts = partsOf(view)
    if (told === undefined) {
      seq++
      kept = []
      keptBytes = 0
      // The second that goes on is told when it has ended.
      told = { parts, position: feed.position(), second: Math.floor(view.at / 1_000) * 1_000 - 1_000 }
      return parts
    }
    const { next, over, tasks } = feed.changes(told.position)
    const seconds = feed.seconds(told.second)
    const changed = changesBetween(told.parts, parts, {
      // In the order in which they changed.
      tasks: tasks.toReversed(),
      over,
      seconds
    })
    if (changed === undefined) {
      told = { ...told, parts }
      return parts
    }
    const frame: Frame = { seq: ++seq, at: view.at, ...changed }
    told = { parts, position: next, second: seconds.at(-1)?.at ?? told.second }
    keep({ at: now(), frame, bytes: encode("frame", seq, JSON.stringify(frame)) })
    for (const { wake } of listeners) wake?.()
    return parts
  }

  const keep = (entry: Kept) => {
    kept.push(entry)
    keptBytes += entry.bytes.length
    let dropped = 0
    while (kept.length - dropped > maxKept || keptBytes > maxKeptBytes || isOld(kept[dropped], entry.at)) {
      keptBytes -= kept[dropped++]?.bytes.length ?? 0
    }
    if (dropped > 0) kept = kept.slice(dropped)
  }

  const isOld = (entry: Kept | undefined, time: number) => entry !== undefined && time - entry.at > keptMillis

  const snapshot = (): Snapshot => {
    const { view } = advance()
    return { ...view, seq }
  }

  /** For all that begin at about the same time. */
  const encodedSnapshot = () => {
    if (encoded === undefined || encoded.seq !== seq || now() - encoded.at > frameMillis) {
      const made = snapshot()
      encoded = { seq: made.seq, at: now(), bytes: encode("snapshot", made.seq, JSON.stringify(made)) }
    }
    return encoded
  }

  /** What a stream has not been sent yet; `undefined` when that is nothing. */
  const missed = (listener: Listener): Uint8Array | undefined => {
    if (listener.seq === seq) return undefined
    const first = seq - kept.length + 1
    const index = listener.seq + 1 - first
    if (index < 0 || index >= kept.length) {
      const { bytes, seq } = encodedSnapshot()
      listener.seq = seq
      return bytes
    }
    listener.seq = seq
    if (index === kept.length - 1) return kept[index]?.bytes
    const frame = mergeFrames(kept.slice(index).map(({ frame }) => frame))
    return encode("frame", seq, JSON.stringify(frame))
  }

  const tick = () => {
    advance()
    const time = now()
    for (const { sentAt, wake } of listeners) if (time - sentAt >= heartbeatMillis) wake?.()
  }

  const start = () => {
    clearTimeout(forgetTimer)
    timer ??= setInterval(tick, frameMillis)
  }

  /** Who was the last to listen may come back: what was told is remembered for a while, nothing more is made. */
  const stop = () => {
    clearInterval(timer)
    timer = undefined
    clearTimeout(forgetTimer)
    if (!isClosed) forgetTimer = setTimeout(forget, keptMillis).unref()
  }

  const forget = () => {
    told = undefined
    kept = []
    keptBytes = 0
    encoded = undefined
  }

  /** Waits until there is something to send. */
  const next = (listener: Listener): Effect.Effect<Uint8Array | undefined> =>
    Effect.callback((resume) => {
      const look = (): boolean => {
        const bytes = isClosed ? undefined : missed(listener) ?? silent(listener)
        if (bytes === undefined && !isClosed) return false
        // Before it goes on, which it does at once, up to the next time that it waits.
        listener.wake = undefined
        listener.sentAt = now()
        resume(Effect.succeed(bytes))
        return true
      }
      if (!look()) listener.wake = look
      return Effect.sync(() => {
        listener.wake = undefined
      })
    })

  const silent = ({ sentAt }: Listener) => now() - sentAt >= heartbeatMillis ? heartbeat : undefined

  return {
    /** The whole state now, with the number of the frame that it stands for. */
    snapshot: (): Snapshot => {
      const made = snapshot()
      // Nobody listens: it is forgotten as if somebody had.
      if (listeners.size === 0) stop()
      return made
    },

    /** Streams that are open. */
    count: () => listeners.size,

    /**
     * A stream that begins after the event with the id `last`; `undefined` when there are too many, or it ends.
     */
    open(last: string | undefined): Stream.Stream<Uint8Array> | undefined {
      if (isClosed || listeners.size >= maxStreams) return undefined
      return Stream.unwrap(
        Effect.map(
          Effect.acquireRelease(
            Effect.sync(() => {
              start()
              advance()
              const listener: Listener = {
                seq: /^\d{1,15}$/u.test(last ?? "") ? Number(last) : -1,
                sentAt: now(),
                wake: undefined
              }
              // A number that is not of this stream, or of one before it.
              if (listener.seq > seq) listener.seq = -1
              listeners.add(listener)
              return listener
            }),
            (listener) =>
              Effect.sync(() => {
                listeners.delete(listener)
                if (listeners.size === 0) stop()
              })
          ),
          (listener) =>
            Stream.concat(
              Stream.succeed<Uint8Array>(greeting),
              Stream.unfold(
                listener,
                (listener) => Effect.map(next(listener), (bytes) => bytes === undefined ? undefined : [bytes, listener])
              )
            )
        )
      )
    },

    /** Ends all streams. */
    close: () => {
      isClosed = true
      clearInterval(timer)
      clearTimeout(forgetTimer)
      for (const { wake } of listeners) wake?.()
    }
  }
}
