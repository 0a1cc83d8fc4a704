/**
 * What the history costs: nanoseconds for each task in the control plane's core, from submission to outcome, with the
 * history as its observer and without. Turn by turn, so that what the machine does besides meets both; medians, and the
 * fastest rounds.
 *
 *     node bench/History.ts [--json] [--tasks 100000] [--rounds 15] [--failing 0]
 */
import { parseArgs } from "node:util"
import { defaults } from "../src/domain/Settings.ts"
import type { Core, Observer } from "../src/layers/ControlPlaneCore.ts"
import { makeCore } from "../src/layers/ControlPlaneCore.ts"
import * as DispatcherLeastLoaded from "../src/layers/DispatcherLeastLoaded.ts"
import { makeHistoryMemory } from "../src/layers/HistoryMemory.ts"
import * as ResultCacheLru from "../src/layers/ResultCacheLru.ts"
import * as TaskQueuePriority from "../src/layers/TaskQueuePriority.ts"
import * as WorkerRegistryMemory from "../src/layers/WorkerRegistryMemory.ts"

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    tasks: { type: "string", default: "100000" },
    rounds: { type: "string", default: "15" },
    /** Share of tasks that fail. */
    failing: { type: "string", default: "0" }
  }
})
const tasks = Number(values.tasks)
const rounds = Number(values.rounds)
const failing = Number(values.failing)
const batch = 64
const args = new TextEncoder().encode(`{"to":"somebody@example.com","subject":"Hello"}`)
const result = new TextEncoder().encode(`{"id":"0123456789"}`)
const error = new TextEncoder().encode(
  `{"name":"TimeoutError","message":"Request 4711 took longer than 10 s","stack":"TimeoutError: Request 4711 took\\n    at send (/app/mail.js:10:11)"}`
)
const names = ["email.send", "email.digest", "webhook.deliver", "report.nightly"]

const nothing = () => {}
const silent: Observer = {
  accepted: nothing,
  retracted: nothing,
  delayed: nothing,
  queued: nothing,
  started: nothing,
  retrying: nothing,
  requeued: nothing,
  prioritized: nothing,
  cancelling: nothing,
  finished: nothing,
  told: nothing,
  unresponsive: nothing,
  responsive: nothing,
  progress: nothing,
  uniqueExpired: nothing,
  forgotten: nothing,
  schedule: nothing,
  paused: nothing,
  skipped: nothing,
  stood: nothing
}

/** A core with one worker, and what runs so many tasks through it. */
const makeRun = (observe: (now: () => number, core: () => Core) => Observer) => {
  let time = 1_000
  const registry = WorkerRegistryMemory.makeUnsafe(defaults)
  let ids = 0
  const core: Core = makeCore({
    queue: TaskQueuePriority.makeUnsafe({ ...defaults, maxPassed: 64 }),
    registry,
    dispatcher: DispatcherLeastLoaded.makeUnsafe({ registry, local: "never" }),
    results: ResultCacheLru.makeUnsafe(defaults),
    settings: defaults,
    startedAt: time,
    randomId: () => (++ids).toString(16).padStart(32, "0"),
    wall: () => time,
    observer: observe(() => time, () => core)
  })
  const { worker } = core.register({
    session: "s",
    worker: "w-1",
    slots: batch,
    tasks: names.map((name) => ({ name })),
    held: [],
    about: {},
    local: false
  }, time)
  let seq = 0

  return () => {
    // CPU time of this thread: what others do on the machine is not ours, as far as that goes.
    const began = process.threadCpuUsage()
    for (let done = 0; done < tasks; done += batch) {
      time += 0.7
      for (let i = 0; i < batch; i++) {
        core.submit(
          { id: undefined, name: names[i & 3] as string, level: undefined, args, watcher: undefined },
          time
        )
      }
      seq++
      core.news(
        worker,
        { seq, settled: seq - 1, abandoned: [], free: batch, waiting: 0, draining: false, held: undefined },
        time
      )
      core.setOpen(worker, true)
      for (const leased of core.dispatch(time).values()) {
        time += 0.5
        for (let i = 0; i < leased.length; i++) {
          const { attempt, id } = leased[i] as (typeof leased)[number]
          const isFailed = i < failing * batch
          core.report(
            worker,
            { id: id as never, attempt, state: isFailed ? "failed" : "succeeded" },
            isFailed ? error : result,
            time
          )
        }
      }
    }
    const { system, user } = process.threadCpuUsage(began)
    return 1_000 * (system + user) / tasks
  }
}

const without = makeRun(() => silent)
const withHistory = makeRun((now, core) => {
  const history = makeHistoryMemory({
    settings: defaults,
    now,
    offset: 1_700_000_000_000,
    levels: () => ({ waiting: core().waiting(), running: core().counts.running })
  })
  return { ...silent, ...history.observer }
})

const median = (numbers: ReadonlyArray<number>): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

// Both are warm, and the history is full, before it counts.
for (let round = 0; round < 3; round++) {
  without()
  withHistory()
}
const samples: Array<readonly [number, number]> = []
for (let round = 0; round < rounds; round++) samples.push([without(), withHistory()])
const core = Math.round(median(samples.map(([without]) => without)))
const both = Math.round(median(samples.map(([, both]) => both)))
const history = Math.round(median(samples.map(([without, both]) => both - without)))
/** Of the fastest rounds: what it costs on a machine that does nothing else. */
const least = Math.round(Math.min(...samples.map(([, both]) => both)) - Math.min(...samples.map(([core]) => core)))

if (values.json) console.log(JSON.stringify({ tasks, rounds, failing, core, both, history, least }))
else {
  console.log(`${rounds} rounds of ${tasks} tasks, ${100 * failing} % of them fail; medians, nanoseconds a task`)
  console.log(`core alone ${core}, with history ${both}, history ${history}; history in the fastest rounds ${least}`)
}
