/**
 * The live stream of one control plane: connects, resumes where it stopped, notices a dead connection, tries again. It
 * reads with `fetch`, since an `EventSource` can neither be told when to try again nor shows heartbeats.
 */
import type { Frame, Snapshot } from "../../domain/View.ts"
import { makeParser } from "./sse.ts"

export interface Connection {
  readonly state: "connecting" | "live" | "lost"
  /** When that began, by this machine's clock. */
  readonly since: number
  /** When it tries again. */
  readonly retryAt?: number
  /** Milliseconds to the control plane and back. */
  readonly latency?: number
}

export interface StreamEvents {
  readonly snapshot: (snapshot: Snapshot) => void
  readonly frame: (frame: Frame) => void
  readonly connection: (connection: Connection) => void
}

export interface Stream {
  readonly retry: () => void
  readonly close: () => void
}

/** The server says something every 5 seconds. */
const silenceMillis = 12_000
const pingMillis = 15_000
const retryMillis = [500, 1_000, 2_000, 4_000, 5_000]

export const openStream = (base: string, events: StreamEvents): Stream => {
  let connection: Connection = { state: "connecting", since: Date.now() }
  let lastId = ""
  let epoch: string | undefined
  let failures = 0
  let closed = false
  let abort: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let silence: ReturnType<typeof setTimeout> | undefined

  const set = (next: Connection) => {
    connection = next
    events.connection(next)
  }
  const isLive = () => {
    failures = 0
    if (connection.state !== "live") {
      set({ state: "live", since: Date.now() })
      void ping()
    }
  }
  const ping = async () => {
    const from = performance.now()
    try {
      const response = await fetch(new URL("healthz", base), { cache: "no-store" })
      await response.text()
      if (response.ok && connection.state === "live") set({ ...connection, latency: performance.now() - from })
    } catch {
      // The stream itself notices that the connection is lost.
    }
  }

  const onEvent = ({ data, event, id }: { readonly data: string; readonly event: string; readonly id: string }) => {
    if (event === "snapshot") {
      const snapshot = JSON.parse(data) as Snapshot
      epoch = snapshot.stats.epoch
      lastId = id
      isLive()
      events.snapshot(snapshot)
    } else if (event === "frame") {
      const frame = JSON.parse(data) as Frame
      if (frame.stats !== undefined && epoch !== undefined && frame.stats.epoch !== epoch) {
        // Another control plane than the one that the last id is of: what was kept does not fit.
        lastId = ""
        throw new Error("another control plane answers")
      }
      lastId = id
      isLive()
      events.frame(frame)
    }
  }

  const heard = () => {
    clearTimeout(silence)
    silence = setTimeout(() => abort?.abort(), silenceMillis)
  }

  const connect = async () => {
    clearTimeout(timer)
    const own = new AbortController()
    abort = own
    heard()
    try {
      const response = await fetch(new URL("api/live", base), {
        signal: own.signal,
        cache: "no-store",
        headers: { accept: "text/event-stream", ...lastId === "" ? {} : { "last-event-id": lastId } }
      })
      if (!response.ok || response.body === null) throw new Error(`status ${response.status}`)
      const parser = makeParser(onEvent)
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      while (true) {
        const { done, value } = await reader.read()
        if (done) break
        heard()
        parser.push(value)
      }
    } catch {
      // Refused, cut, silent or closed by us: all the same, it is tried again.
    } finally {
      own.abort()
      clearTimeout(silence)
      if (abort === own && !closed) lost()
    }
  }

  const lost = () => {
    const millis = retryMillis[Math.min(failures, retryMillis.length - 1)] ?? 5_000
    failures += 1
    timer = setTimeout(() => void connect(), millis)
    set({
      state: "lost",
      since: connection.state === "lost" ? connection.since : Date.now(),
      retryAt: Date.now() + millis
    })
  }

  const pings = setInterval(() => {
    if (connection.state === "live") void ping()
  }, pingMillis)
  void connect()

  return {
    retry: () => {
      if (connection.state === "lost") void connect()
    },
    close: () => {
      closed = true
      abort?.abort()
      clearTimeout(timer)
      clearTimeout(silence)
      clearInterval(pings)
    }
  }
}
