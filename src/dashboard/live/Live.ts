/**
 * The state of the control plane as this tab shows it: one store that follows the live stream, the connection, the clock
 * of the control plane, and freezing. A frame is applied in one batch. Rows of tasks are `Rows.ts`.
 */
import { type Accessor, batch, createEffect, createMemo, createSignal, on, onCleanup } from "solid-js"
import { createStore, reconcile } from "solid-js/store"
import type { Frame, Snapshot } from "../../domain/View.ts"
import { openLink } from "./Link.ts"
import { merge, type Part, parts } from "./merge.ts"
import type { Connection, StreamEvents } from "./Stream.ts"

export type Status = "connecting" | "live" | "reconnecting" | "disconnected"

export interface Live {
  /** What the control plane said last, part by part; all zero until {@link Live.ready}. */
  readonly data: Snapshot
  readonly ready: Accessor<boolean>
  readonly connection: Accessor<Connection>
  /** `live` for the first 2 seconds without a connection, `reconnecting` for 10, then `disconnected`. */
  readonly status: Accessor<Status>
  /** Tries to connect now. */
  readonly retry: () => void
  /** Time of the control plane, once a second; stands still while there is no connection or the view is frozen. */
  readonly now: Accessor<number>
  readonly frozen: Accessor<boolean>
  readonly freeze: (on: boolean) => void
  /** Why nothing can be changed now; `undefined` when it can. */
  readonly blocked: Accessor<string | undefined>
  /** How often a gap in the stream was bridged by a new snapshot: what was asked before is old. */
  readonly resyncs: Accessor<number>
  /** Calls for each frame that is shown, until the owner is gone. Frozen: none, then one with `over`. */
  readonly onFrame: (handle: (frame: Frame) => void) => void
}

const keys: Partial<Record<Part, string>> = { lanes: "priority", workers: "key", upNext: "id" }

const nothing: Snapshot = {
  seq: 0,
  at: 0,
  stats: {
    version: "",
    namespace: "",
    epoch: "",
    upMillis: 0,
    draining: false,
    submitted: 0,
    waiting: 0,
    waitingByPriority: { critical: 0, high: 0, normal: 0, low: 0 },
    delayed: 0,
    waitingBytes: 0,
    running: 0,
    cancelling: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    expired: 0,
    retries: 0,
    crashes: 0,
    lateReports: 0,
    workers: 0,
    sessions: 0,
    results: 0,
    resultBytes: 0,
    dead: 0,
    schedules: 0,
    paused: []
  },
  headline: { tone: "idle", kind: "idle", title: "", cause: [] },
  lanes: [],
  flow: { arriving: 0, starting: 0, finishing: 0, perMinute: 0, failing: 0 },
  workers: [],
  upNext: [],
  errors: 0,
  paused: [],
  latest: []
}

/** How the stream is opened: another one in tests of components. */
export type OpenLink = typeof openLink

export const createLive = (
  base: string,
  { open = openLink, readOnly }: { readonly open?: OpenLink; readonly readOnly?: string | undefined } = {}
): Live => {
  const [data, setData] = createStore<{ -readonly [P in keyof Snapshot]: Snapshot[P] }>(nothing)
  const [ready, setReady] = createSignal(false)
  const [connection, setConnection] = createSignal<Connection>({ state: "connecting", since: Date.now() })
  const [frozen, setFrozen] = createSignal(false)
  const [resyncs, setResyncs] = createSignal(0)
  const [tick, setTick] = createSignal(Date.now())
  const handlers = new Set<(frame: Frame) => void>()
  let raw = nothing
  let pending = new Set<Part>()
  /** Ahead of this machine's clock by so much; a frame that took long on its way makes it seem less. */
  let offset: number | undefined

  const show = (changed: Iterable<Part>, frame: Frame | undefined) =>
    batch(() => {
      for (const part of changed) {
        setData(part, reconcile<unknown, unknown>(raw[part], { key: keys[part] ?? null, merge: false }) as never)
      }
      setData("at", raw.at)
      setData("seq", raw.seq)
      if (frame !== undefined) { for (const handle of handlers) handle(frame) }
    })
  const over = (): Frame => ({ seq: raw.seq, at: raw.at, over: true })
  const hear = (at: number) => {
    const seen = at - Date.now()
    offset = offset === undefined ? seen : Math.max(seen, offset - 1)
  }

  const events: StreamEvents = {
    snapshot: (snapshot) => {
      const isFirst = !ready()
      offset = undefined
      hear(snapshot.at)
      raw = snapshot
      batch(() => {
        if (frozen()) pending = new Set(parts)
        else show(parts, isFirst ? undefined : over())
        setReady(true)
        setTick(Date.now())
        if (!isFirst) setResyncs((count) => count + 1)
      })
    },
    frame: (frame) => {
      hear(frame.at)
      raw = merge(raw, frame)
      const changed = parts.filter((part) => part === "latest" ? frame.tasks !== undefined : part in frame)
      if (frame.gone !== undefined && frame.workers === undefined) changed.push("workers")
      if (frozen()) { for (const part of changed) pending.add(part) }
      else show(changed, frame)
    },
    connection: setConnection
  }
  const link = open(base, events)
  onCleanup(link.close)

  const timer = setInterval(() => setTick(Date.now()), 1_000)
  onCleanup(() => clearInterval(timer))

  const status = createMemo<Status>(() => {
    const { since, state } = connection()
    if (state === "live") return "live"
    const lost = Math.max(tick(), Date.now()) - since
    if (lost < 2_000) return state === "connecting" ? "connecting" : "live"
    return lost < 10_000 ? "reconnecting" : "disconnected"
  })
  const now = createMemo<number>((before) => {
    const at = tick()
    return ready() && (frozen() || connection().state !== "live") ? before : at + (offset ?? 0)
  }, Date.now())

  createEffect(on(frozen, (isFrozen) => {
    if (isFrozen) return
    const changed = pending
    pending = new Set()
    show(changed, over())
  }, { defer: true }))

  const blocked = createMemo(() => {
    if (readOnly !== undefined) return readOnly
    if (status() !== "live" || connection().state !== "live") return "There is no connection to the control plane."
    return data.stats.draining ? "The control plane is shutting down." : undefined
  })

  return {
    data,
    ready,
    connection,
    status,
    retry: link.retry,
    now,
    frozen,
    freeze: setFrozen,
    blocked,
    resyncs,
    onFrame: (handle) => {
      handlers.add(handle)
      onCleanup(() => handlers.delete(handle))
    }
  }
}
