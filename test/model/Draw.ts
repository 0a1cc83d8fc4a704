/**
 * Draws scripts from a seed: first how the world is set up and which of its features this run is about, then step by step
 * what happens, with a look at the world so that most steps mean something.
 */
import type { Limits } from "../../src/domain/Message.ts"
import { fromLevel, priorities } from "../../src/domain/Priority.ts"
import type { ScheduleDeclaration } from "../../src/domain/Schedules.ts"
import type { LocalPolicy } from "../../src/domain/Settings.ts"
import type { Unique } from "../../src/domain/Task.ts"
import type { Random } from "./Random.ts"
import type { Filter, Lie, Question, Setup, Step, Submission, TypeSetup } from "./Script.ts"
import type { World } from "./World.ts"

export const names = ["add", "mail", "resize", "rare", "poison"] as const

/** Every name, also the one that no ordinary worker knows. */
export const everything = [...names, "nobody"]

/** What a run is about: the rest is left out, so that what matters happens often. */
export interface Features {
  readonly limits: boolean
  readonly unique: boolean
  readonly fairness: boolean
  readonly times: boolean
  readonly pauses: boolean
  readonly schedules: boolean
  readonly cancels: boolean
  readonly prioritizes: boolean
  readonly lies: boolean
  readonly restarts: boolean
  /** How often a task is one that breaks its workers. */
  readonly poison: number
  /** How often something breaks. */
  readonly chaos: number
}

export const drawFeatures = (random: Random): Features => ({
  limits: random.chance(0.5),
  unique: random.chance(0.4),
  fairness: random.chance(0.4),
  times: random.chance(0.6),
  pauses: random.chance(0.4),
  schedules: random.chance(0.3),
  cancels: random.chance(0.6),
  prioritizes: random.chance(0.4),
  lies: random.chance(0.3),
  restarts: random.chance(0.5),
  poison: random.pick([0.05, 0.3]),
  chaos: random.pick([0, 0.3, 1])
})

const drawLimits = (random: Random): Limits => {
  const rate = () => ({ limit: random.between(1, 4), per: random.pick([100, 500, 1_000]) })
  return {
    ...(random.chance(0.5) ? { concurrency: random.between(1, 4) } : {}),
    ...(random.chance(0.4) ? { keyConcurrency: random.between(1, 2) } : {}),
    ...(random.chance(0.3) ? { rate: rate() } : {}),
    ...(random.chance(0.3) ? { keyRate: rate() } : {})
  }
}

export const drawSetup = (random: Random, features: Features): Setup => {
  const resultCacheSize = random.between(5, 60)
  const types: ReadonlyArray<TypeSetup> = names.map((name) => ({
    name,
    ...(name === "rare" ? { priority: "low" as const } : {}),
    // Those that break their workers come to a last chance, which limits hold for too.
    ...(features.limits && random.chance(name === "poison" ? 0.9 : 0.6) ? { limits: drawLimits(random) } : {}),
    ...(random.chance(0.2) ? { retention: random.pick([0, 1_000]) } : {})
  }))
  return {
    settings: {
      local: random.pick<LocalPolicy>(["when-alone", "always"]),
      maxWaiting: random.between(10, 80),
      maxWaitingBytes: random.between(100, 1_000),
      maxPayloadBytes: 60,
      resultCacheSize,
      resultCacheTtlMillis: random.between(5_000, 60_000),
      tombstones: resultCacheSize + random.between(100, 400),
      maxOutbox: random.between(10, 60),
      maxSessions: 8,
      sessionTimeoutMillis: 20_000,
      startGraceMillis: random.pick([0, 500, 5_000]),
      heartbeatMillis: 1_000,
      heartbeatTimeoutMillis: 3_000,
      reconnectGraceMillis: 500,
      maxCrashes: random.between(1, 4),
      maxDead: random.chance(0.2) ? random.between(1, 8) : 10_000
    },
    maxPassed: random.between(1, 8),
    isDurable: random.chance(0.5),
    clients: random.between(1, 3),
    types
  }
}

const weights: Readonly<Record<string, number>> = { a: 1, b: 2, c: 0.5 }

const uniques: Readonly<Record<string, Unique>> = {
  w: { key: "w", while: "waiting", onConflict: "reject" },
  u: { key: "u", while: "unfinished", onConflict: "existing" },
  p: { key: "p", while: "period", period: 3_000, onConflict: "reject" }
}

const schedule = (random: Random): ScheduleDeclaration => {
  const n = random.below(4)
  return {
    id: `s${n}`,
    name: random.pick(names),
    args: "{}",
    kind: n === 3 ? { cron: "*/2 * * * * *" } : { every: random.pick([200, 1_000, 3_000]) },
    catchUp: random.pick(["skip", "once", "all"] as const),
    overlap: random.pick(["skip", "allow", "replace"] as const),
    ...(random.chance(0.2) ? { expiresIn: 1_000 } : {})
  }
}

export type Draw = ReturnType<typeof makeDraw>

/** `ids` are counted here, so that a script names them. */
export const makeDraw = (random: Random, features: Features, world: World) => {
  let workers = 0
  let ids = 0
  /** What callers submitted with ids of their own, to be submitted again. */
  const past: Array<Submission> = []

  /** What comes next, whatever else would be drawn. */
  const planned: Array<Step> = []

  const workerIds = () => [...world.labour.workers.keys()]
  const aWorker = () => random.pick(workerIds())
  const aCaller = () => random.below(world.setup.clients)

  const anId = (): string => {
    const { entries, outcomes } = world.audit()
    if (entries.size > 0 && random.chance(0.75)) {
      let at = random.below(entries.size)
      for (const id of entries.keys()) if (at-- === 0) return id
    }
    if (outcomes.size > 0 && random.chance(0.8)) {
      let at = Math.max(0, outcomes.size - 1 - random.below(30))
      for (const id of outcomes.keys()) if (at-- === 0) return id
    }
    return `own-${random.between(0, ids + 1)}`
  }

  const submission = (): Submission => {
    if (past.length > 0 && random.chance(0.1)) {
      const again = random.pick(past)
      return random.chance(0.2) ? { ...again, args: `${again.args}!` } : again
    }
    const isOwnId = random.chance(0.6)
    const unique = features.unique && random.chance(0.4) ? uniques[random.pick(["w", "u", "p"])] : undefined
    const fairKey = features.fairness && random.chance(0.7) ? random.pick(["a", "b", "c"]) : undefined
    const fresh: Submission = {
      ...(isOwnId ? { id: `own-${++ids}` } : {}),
      name: random.chance(0.02) ? "nobody" : random.chance(features.poison) ? "poison" : random.pick(names),
      args: "x".repeat(random.chance(0.01) ? 70 : random.between(0, 12)) + String(random.below(100)),
      ...(random.chance(0.8) ? { priority: fromLevel(random.below(4) as 0) } : {}),
      ...(random.chance(0.7) ? { watch: true } : {}),
      ...(features.times && random.chance(0.25) ? { in: random.pick([0, 20, 300, 3_000]) } : {}),
      ...(features.times && random.chance(0.2) ? { expiresIn: random.pick([10, 200, 2_000]) } : {}),
      ...(unique === undefined
        ? {}
        : { unique: random.chance(0.3) ? { ...unique, onConflict: "replace" as const } : unique }),
      ...(features.limits && random.chance(0.6) ? { limitKey: random.pick(["k1", "k2", "k3"]) } : {}),
      ...(fairKey === undefined ? {} : { fairKey, weight: weights[fairKey] as number }),
      ...(random.chance(0.1) ? { tags: ["t"], tenant: "tenant" } : {}),
      ...(random.chance(0.1) ? { ignoreResult: true } : {})
    }
    if (isOwnId) past.push(fresh)
    if (past.length > 40) past.shift()
    return fresh
  }

  /** A submission; over a bad network it comes twice, soon or later. */
  const submit = (): Step => {
    const c = aCaller()
    const who = `c${c}`
    if (random.chance(0.1 * features.chaos)) {
      planned.push({ t: "up", who }, { t: "resend", who })
      if (random.chance(0.5)) planned.push({ t: "up", who }, { t: "down", who })
    }
    return {
      t: "submit",
      c,
      tasks: Array.from({ length: random.chance(0.8) ? 1 : random.between(2, 5) }, submission)
    }
  }

  const lie = (): Lie | undefined => {
    if (!features.lies || random.chance(0.5)) return undefined
    const lease = () => ({ id: anId(), attempt: random.between(0, 3) })
    const seq = random.between(0, 8)
    return random.pick<Lie>([
      { free: random.between(0, 1_000) },
      { waiting: random.between(0, 10) },
      { settled: seq },
      { abandoned: [seq] },
      { held: [lease(), lease()] },
      {
        reports: [{
          ...lease(),
          state: random.pick(["succeeded", "failed", "returned", "stopped", "crashed"] as const)
        }]
      },
      { reports: [{ ...lease(), state: "failed", retryIn: 50 }] }
    ])
  }

  const filter = (): Filter =>
    random.pick<Filter>([{ name: random.pick(names) }, { tag: "t" }, { tenant: "tenant" }, { state: "queued" }, {
      state: "delayed"
    }])

  const question = (): Question => {
    if (features.prioritizes && random.chance(0.4)) {
      const to = random.pick(priorities)
      return random.chance(0.9)
        ? { op: "prioritize", id: anId(), to }
        : { op: "prioritizeAll", filter: filter(), to }
    }
    const what = random.below(100)
    if (features.cancels && what < 55) return { op: "cancel", id: anId(), ...(random.chance(0.2) ? { wait: 500 } : {}) }
    if (features.cancels && what < 58) return { op: "cancelAll", filter: filter() }
    if (features.schedules && random.chance(0.2)) {
      const id = `s${random.below(4)}`
      return random.pick<Question>([
        { op: "schedule", schedule: schedule(random) },
        { op: "schedule", schedule: schedule(random) },
        { op: "trigger", id },
        { op: "unschedule", id }
      ])
    }
    if (features.pauses && what < 75) {
      const target = random.pick([
        {},
        { task: random.pick(names) },
        { worker: `id-${random.between(1, workers + 1)}` },
        { schedule: `s${random.below(4)}` },
        ...(features.schedules ? [{ schedule: "s1" }, { schedule: "s2" }] : [])
      ])
      return { op: random.chance(0.4) ? "pause" : "resume", target }
    }
    if (what < 90) {
      const { dead } = world.audit()
      return { op: "retry", id: dead.size > 0 && random.chance(0.8) ? random.pick([...dead]) : anId() }
    }
    if (what < 92) return { op: "retryAll", filter: { name: random.pick(names) } }
    if (what < 93) return { op: "purge", filter: { name: random.pick(names) } }
    return { op: "result", id: anId(), wait: random.pick([0, 200]) }
  }

  const hire = (): Step => ({
    t: "hire",
    w: ++workers,
    slots: random.between(1, 5),
    names: random.chance(0.5) ? names : random.shuffle(names).slice(0, 3),
    isLocal: random.chance(0.15),
    isPlain: random.chance(0.3),
    isLiar: features.lies && random.chance(0.3)
  })

  const end = (w: number): Step => {
    const worker = world.labour.workers.get(w)
    const at = random.below(8)
    const name = worker === undefined ? undefined : world.labour.runAt(worker, at)?.[1].name
    if (name === "poison" && random.chance(0.6)) {
      return random.chance(0.4)
        ? { t: "kill", who: `w${w}`, isNoticed: random.chance(0.8) }
        : { t: "end", w, at, how: "crashed", body: "crash" }
    }
    const what = random.below(20)
    if (what < 11) return { t: "end", w, at, how: "succeeded", body: `r${random.below(1_000)}` }
    if (what < 14) return { t: "end", w, at, how: "failed", body: `e${random.below(1_000)}` }
    if (what < 17) return { t: "end", w, at, how: "failed", retryIn: random.pick([0, 30, 400]), body: "again" }
    if (what < 18) return { t: "end", w, at, how: "returned" }
    if (what < 19) return { t: "wait", w, at }
    return { t: "progress", w, at, body: `p${random.below(100)}` }
  }

  /** Something of a worker: what it needs most, mostly. */
  const labour = (): Step => {
    const w = aWorker()
    const worker = world.labour.workers.get(w)
    if (worker === undefined) return { t: "turn" }
    const { link } = worker
    if (!link.isOpen) return { t: "connect", who: link.who }
    const what = random.below(10)
    if (link.down.length > 0 && what < 7) return { t: "down", who: link.who }
    if (link.up.length > 0 && what < 8) return { t: "up", who: link.who }
    // Some register again with what they hold when their connection was lost, others only send again.
    if (random.chance(0.03 * features.chaos)) return { t: "register", w }
    if (!worker.isRegistered && !worker.isRegistering) {
      const held = [{ id: anId(), attempt: random.between(0, 2) }]
      return { t: "register", w, ...(worker.isLiar ? { held } : {}) }
    }
    const said = worker.isLiar ? lie() : undefined
    if (what < 4 || worker.running.size === 0) return { t: "exchange", w, ...(said === undefined ? {} : { lie: said }) }
    if (what < 6) return { t: "obey", w, at: random.below(8) }
    return end(w)
  }

  const call = (): Step => {
    const c = aCaller()
    const link = world.links.get(`c${c}`)
    if (link === undefined) return { t: "turn" }
    if (!link.isOpen) return { t: "connect", who: link.who }
    const what = random.below(20)
    if (link.down.length > 0 && what < 10) return { t: "down", who: link.who }
    if (link.up.length > 0 && what < 14) return { t: "up", who: link.who }
    if (what < 15) return { t: "collect", c, wait: random.pick([0, 300, 2_000]) }
    if (what < 16) return { t: "watch", c, ids: random.chance(0.3) ? [] : [anId()], progress: random.chance(0.5) }
    return { t: "ask", c, question: question() }
  }

  const wallClock = (): Step => ({ t: "wall", ms: random.pick([-1, 1]) * (random.between(1, 100) * 1_000 + 137) })

  /** Most workers register again, with what they hold; liars with what others do. */
  const comeBack = () => {
    for (const w of random.shuffle(workerIds())) {
      if (random.chance(0.3)) continue
      const isLiar = world.labour.workers.get(w)?.isLiar === true
      const held = isLiar ? [1, 2, 3].map(() => ({ id: anId(), attempt: 3 })) : undefined
      planned.push({ t: "register", w, ...(held === undefined ? {} : { held }) }, { t: "up", who: `w${w}` }, {
        t: "down",
        who: `w${w}`
      }, { t: "exchange", w })
    }
  }

  const limit = (): Step => {
    if (random.chance(0.5)) comeBack()
    return { t: "limit", name: random.pick(names), limits: random.chance(0.8) ? drawLimits(random) : undefined }
  }

  /** A restart; most workers are there again soon after it, with what they hold. */
  const restart = (): Step => {
    const step: Step = { t: "restart", ms: random.pick([10, 1_000, 20_000]), isKilled: random.chance(0.8) }
    comeBack()
    if (world.journal === undefined || random.chance(0.5)) return step
    planned.unshift(step)
    return { t: "commit", entries: 1_000 }
  }

  const chaos = (): Step => {
    const who = random.chance(0.6) && workerIds().length > 0 ? `w${aWorker()}` : `c${aCaller()}`
    const what = random.below(30)
    if (what < 8) return { t: "resend", who }
    if (what < 11) return { t: "giveUp", who }
    if (what < 16) return { t: "cut", who, isNoticed: random.chance(0.6) }
    if (what < 18 && who.startsWith("w")) return { t: "kill", who, isNoticed: random.chance(0.6) }
    if (what < 19 && workerIds().length > 0) return { t: random.chance(0.5) ? "drain" : "leave", w: aWorker() }
    if (what < 21 && workerIds().length > 0) return { t: "beat", w: aWorker(), lag: random.pick([0, 500, 3_000]) }
    if (what < 23) return { t: "stall", ms: random.pick([500, 2_000, 8_000]) }
    if (what < 24) return wallClock()
    if (what < 25 && features.limits) return limit()
    if (what < 27 && world.journal !== undefined) return { t: "refuse" }
    if (what < 29 && features.restarts && random.chance(world.journal === undefined ? 0.2 : 0.7)) {
      return restart()
    }
    return { t: "resend", who }
  }

  const time = (): Step => ({
    t: "time",
    ms: random.chance(0.9)
      ? random.pick([1, 3, 10, 30])
      : random.chance(0.9)
      ? random.between(50, 400)
      : random.pick([1_200, 1_200, 3_500, 3_500, 25_000])
  })

  return (): Step => {
    const next = planned.shift()
    if (next !== undefined) return next
    const count = world.labour.workers.size
    if (count < 2 || (count < 6 && random.chance(0.02))) return hire()
    const what = random.next()
    if (what < 0.03 * features.chaos) return chaos()
    if (features.schedules && what < 0.034) return wallClock()
    if (features.limits && what < 0.037) return limit()
    if (world.journal !== undefined && what > 0.93) {
      return { t: "commit", entries: random.chance(0.5) ? 1_000 : random.between(1, 4) }
    }
    if (what < 0.15) return submit()
    if (what < 0.24) return time()
    if (what < 0.36) return { t: "turn" }
    return what < 0.75 ? labour() : call()
  }
}
