/**
 * The end of every run: nobody lies, breaks or is paused any more, and time goes on. Every task must come to its outcome,
 * every outcome to who waits for it, and when all have left nothing may be left of them.
 */
import { Broken } from "./Script.ts"
import type { World } from "./World.ts"

/** So many rounds are enough for everything; a task that has not ended then never will. */
const maxRounds = 800

const roundMillis = 50

/** What the history has counted is what the core has: what could not be stored is in neither. */
const checkHistory = ({ core, memory, restored }: ReturnType<World["server"]>) => {
  const { counts } = core
  const sums = [0, 0, 0, 0, 0, 0, 0]
  for (const bucket of memory.all.read(2, Infinity)) {
    for (const [kind, count] of bucket.counts.entries()) sums[kind] = (sums[kind] ?? 0) + count
  }
  const [accepted, , succeeded, failed, retried, cancelled, expired] = sums
  const told = { accepted, succeeded, failed, retried, cancelled, expired }
  const expected = {
    accepted: counts.submitted - restored(),
    succeeded: counts.succeeded,
    failed: counts.failed,
    retried: counts.retries,
    cancelled: counts.cancelled,
    expired: counts.expired
  }
  if (JSON.stringify(told) !== JSON.stringify(expected)) {
    throw new Broken(
      "the history counts what the core does",
      `${JSON.stringify(told)}, not ${JSON.stringify(expected)}`
    )
  }
}

export const calmDown = (world: World, names: ReadonlyArray<string>) => {
  const { callers, journal, labour, links } = world
  const core = () => world.server().core
  let turns = 0

  const deliver = () => {
    for (const link of links.values()) {
      world.reconnect(link)
      while (link.up.length > 0) world.arrive(link)
      while (link.down.length > 0) world.receive(link)
    }
  }

  const settle = () => {
    turns++
    world.notice()
    for (let more = 0; more < 2; more++) {
      deliver()
      world.play({ t: "turn" })
      if (journal !== undefined) world.commit(Infinity)
    }
    deliver()
  }

  const work = (round: number) => {
    for (const worker of labour.workers.values()) {
      const { link } = worker
      if (link.pending.size > 0 && round % 8 === 7) { for (const _ of link.pending) world.resend(link) }
      if (!worker.isRegistered) {
        if (!worker.isRegistering) labour.register(worker)
        continue
      }
      for (const [id, { isToStop }] of worker.running) {
        labour.wait(worker, id, false)
        labour.end(worker, id, { state: isToStop ? "stopped" : "succeeded", body: "calm" })
      }
      labour.exchange(worker)
    }
  }

  const collect = (round: number) => {
    for (const caller of callers.callers.values()) {
      const { link } = caller
      if (link.pending.size > 0 && round % 8 === 7) world.resend(link)
      if (!caller.isCollecting) callers.collect(caller, 0)
      // What was refused because its outbox was full.
      if (link.pending.size === 1 && caller.wanted.size > 0 && round % 16 === 15) callers.watch(caller, [])
    }
  }

  const runUntil = (promise: string, isDone: () => boolean, what: () => string) => {
    for (let round = 0; !isDone(); round++) {
      if (round > maxRounds) throw new Broken(promise, `not after ${round} rounds: ${what()}`)
      work(round)
      collect(round)
      settle()
      // What waits for a time far away alone is not waited for in small steps.
      const due = core().nextDue() ?? 0
      const isIdle = core().counts.running === 0 && core().delayed() === core().waiting() && round % 8 === 0
      world.pass(isIdle ? Math.min(Math.max(roundMillis, due - world.now()), 10_000) : roundMillis)
    }
  }

  for (const worker of labour.workers.values()) {
    if (worker.isLiar || worker.isDraining) world.kill(worker, true)
  }
  // Nothing more is asked for: what is on its way would pause something, or declare another schedule.
  for (const caller of callers.callers.values()) {
    caller.link.up = []
    caller.link.pending.clear()
    caller.isCollecting = false
  }
  for (const target of core().pauses.targets()) {
    const [kind, ...rest] = target.split(":")
    core().setPaused(kind === "all" ? {} : { [kind === "task" ? "task" : "worker"]: rest.join(":") }, false)
  }
  for (const { declaration } of core().schedules.records()) core().unschedule(declaration.id)
  for (const w of [9_001, 9_002]) world.play({ t: "hire", w, slots: 4, names })

  const { entries } = world.audit()
  runUntil(
    "every accepted task comes to its outcome",
    () => entries.size === 0,
    () =>
      [...entries.values()].slice(0, 5).map(({ id, name, state }) => {
        const task = core().task(id)
        return `${id} (${name}, ${state}: ${task === undefined ? "gone" : core().whyWaiting(task, world.now()).text})`
      }).join(", ")
  )
  for (const caller of callers.callers.values()) callers.watch(caller, [])
  settle()
  runUntil(
    "every outcome comes to who waits for it",
    () => [...callers.callers.values()].every(({ link, wanted }) => wanted.size === 0 && link.pending.size === 0),
    () =>
      [...callers.callers.values()].map(({ c, link, wanted }) => `${c}: ${[...wanted].join(" ")} ${link.pending.size}`)
        .join(", ")
  )
  world.audit().checkAll()
  checkHistory(world.server())

  for (const worker of labour.workers.values()) labour.leave(worker)
  settle()
  for (const worker of labour.workers.values()) world.kill(worker, true)
  // Keys that are held for a period are held by the wall clock across a restart, and that may have been set back.
  const periods = [...world.audit().keys.holders.values()].map(({ until }) => until - world.now())
  const longest = Math.max(0, ...periods.filter(Number.isFinite))
  world.pass(Math.max(world.server().settings.sessionTimeoutMillis, longest) + 10_000)
  const { queue, registry } = world.server()
  const left = {
    ...core().remembered(),
    ...world.server().memory.remembered(),
    queue: queue.size(),
    workers: registry.size(),
    sessions: core().sessions.size()
  }
  for (const [what, size] of Object.entries(left)) {
    if (size > 0) throw new Broken("nothing is left of what has ended", `${size} ${what}`)
  }
  if (core().nextDue() !== undefined) throw new Broken("nothing is left of what has ended", "a timer")
  return turns
}
