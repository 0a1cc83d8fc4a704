/** Requests and replies of the wire as they ought to be, for spoiling. */
import { Buffer } from "node:buffer"
import type { Random } from "./Fuzz.ts"
import { mutateBytes, mutateJson, pick, upTo } from "./mutate.ts"

const v = 1
const session = "0123456789abcdef0123456789abcdef"
const lease = { id: "a", attempt: 1 }
const schedule = {
  id: "s",
  name: "echo",
  args: "{}",
  kind: { cron: "0 9 * * 1-5", timeZone: "UTC" },
  catchUp: "once",
  overlap: "skip"
}

export interface Header {
  readonly op: string
  readonly [key: string]: unknown
}

/** One of each, with all that it may say. */
export const clientHeaders: ReadonlyArray<Header> = [
  {
    op: "submit",
    session,
    seq: 1,
    tasks: [
      { name: "echo", size: 2, watch: true, priority: "high", tags: ["a", "b"], tenant: "t", in: 1, expiresIn: 1_000 },
      {
        id: "task-1",
        name: "echo",
        size: 13,
        unique: { key: "k", while: "period", period: 1_000, onConflict: "existing" },
        limitKey: "l",
        fairKey: "f",
        weight: 2,
        ignoreResult: true,
        version: 2,
        parent: "p",
        trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        sensitive: { args: ["/a/*"], error: [""] }
      }
    ]
  },
  { op: "watch", session, ids: ["task-1"], progress: true },
  { op: "collect", session, ack: 0, wait: 0, epoch: session },
  { op: "result", id: "task-1", wait: 0 },
  { op: "status", ids: ["task-1", "b"] },
  { op: "cancel", id: "task-1", wait: 0 },
  {
    op: "cancelAll",
    filter: { state: "queued", name: "x", tag: "t", tenant: "t", olderThan: 5 },
    dryRun: true,
    expect: 1
  },
  { op: "retry", id: "task-1", as: "task-2" },
  { op: "retryAll", filter: {} },
  { op: "purge", filter: { name: "echo" } },
  { op: "pause", target: { task: "other" } },
  { op: "resume", target: {} },
  { op: "schedule", schedule },
  { op: "unschedule", id: "s" },
  { op: "trigger", id: "s", as: "t" },
  { op: "schedules" },
  { op: "events", session, types: ["task.queued"], name: "echo", id: "a", wait: 0 },
  { op: "list", state: "queued", limit: 5 },
  { op: "list", dead: true },
  { op: "workers" },
  { op: "drainWorker", worker: "nobody" },
  { op: "tasks", name: "echo" },
  { op: "stats" },
  {
    op: "view",
    of: "tasks",
    query: { state: "failed,dead", type: "e*", q: "x y", limit: 3, sort: "changed", since: 5 }
  },
  { op: "view", of: "series", query: { range: "15m", type: "echo" } },
  { op: "view", of: "task", query: { id: "task-1" } },
  { op: "view", of: "worker", query: { id: "w" } },
  { op: "view", of: "type", query: { name: "echo" } },
  { op: "view", of: "counts", query: { state: "failed", after: 1 } },
  { op: "change", do: "cancel", selection: { type: "e*", ids: ["a"], dryRun: true, expect: 0, asOf: 1 } }
].map((header) => ({ v, ...header }))

export const workerHeaders: ReadonlyArray<Header> = [
  {
    op: "register",
    session,
    worker: "w",
    slots: 2,
    tasks: [{
      name: "echo",
      description: "d",
      priority: "low",
      version: 1,
      retry: "r",
      timeout: 5,
      isolation: "thread",
      argsSchema: "{}",
      limits: { concurrency: 1, keyRate: { limit: 1, per: 1 } },
      retention: 5
    }],
    schedules: [schedule],
    held: [lease],
    seq: 1,
    about: { host: "h", pid: 1, runtime: "r", version: "1" }
  },
  { op: "beat", session, lag: 5 },
  {
    op: "exchange",
    session,
    seq: 1,
    settled: 0,
    abandoned: [1],
    free: 0,
    held: [lease],
    waiting: 1,
    reports: [{ ...lease, state: "failed", reason: "error", retryIn: 5, span: "b7ad6b7169203331", size: 2 }],
    progress: [{ ...lease, size: 2 }],
    load: { rss: 1, heapUsed: 1, heapLimit: 1, cpu: 0.5, loopLag: 1 }
  },
  { op: "leave", session, reports: [{ ...lease, state: "succeeded" }] }
].map((header) => ({ v, ...header }))

/** Handshakes and other things that are no request. */
const others: ReadonlyArray<Header> = [
  { v, op: "auth", role: "client", nonce: session },
  { v, op: "auth", proof: session },
  { v: 2, op: "stats" }
]

/** A message that is nearly one of the protocol. */
export const message = (random: Random, headers: ReadonlyArray<Header>): Buffer => {
  const given = pick(random, random() < 0.05 ? others : headers)
  const header = JSON.stringify(random() < 0.7 ? mutateJson(random, given) : given) ?? "null"
  const body = pick(random, ["", "{}", "{}{\"who\":\"you\"}", "12{}", "x".repeat(upTo(random, 5_000))])
  const whole = Buffer.from(`${header}\n${body}`)
  return random() < 0.4 ? mutateBytes(random, whole) : whole
}
