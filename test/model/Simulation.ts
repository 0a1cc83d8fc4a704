/**
 * Clients, workers and a network that loses, repeats and reorders, around the control plane of `Plane.ts`; all of it on
 * virtual time and drawn from one seed. The workers speak the protocol as ours do, or as a plain one with a single
 * socket does; some lie.
 */
import type { Report } from "../../src/domain/Message.ts"
import type { PriorityLevel } from "../../src/domain/Priority.ts"
import type { LocalPolicy, Settings } from "../../src/domain/Settings.ts"
import { defaults } from "../../src/domain/Settings.ts"
import { makeAgenda } from "./Agenda.ts"
import { makePlane, Mismatch } from "./Plane.ts"
import type { CollectReply, ExchangeMessage, ExchangeReply, RegisterReply } from "./PlaneMessages.ts"
import { makeRandom } from "./Random.ts"

interface PendingReport {
  readonly report: Report
  readonly body: string
}

interface Outstanding {
  readonly message: ExchangeMessage
  readonly reports: ReadonlyArray<PendingReport>
}

interface SimWorker {
  readonly session: string
  readonly slots: number
  readonly names: ReadonlyArray<string>
  readonly local: boolean
  /** Sends one exchange at a time, and all its reports with it. */
  readonly isPlain: boolean
  readonly isLiar: boolean
  /** Says with its registration how many exchanges it has sent. */
  readonly tellsSeq: boolean
  peer: number
  isConnected: boolean
  isAlive: boolean
  isRegistered: boolean
  isDraining: boolean
  /** A copy of a registration that does not tell came when it had exchanged already: what is running is taken back. */
  isOvertaken: boolean
  frozenUntil: number
  /** Since when, if its event loop alone is blocked: it beats. */
  blockedSince: number | undefined
  /** The connection of its beats. */
  readonly beatPeer: number
  seq: number
  abandoned: Array<number>
  reports: Array<PendingReport>
  /** A handler that waits for other tasks leaves its slot to them. */
  readonly running: Map<string, { readonly attempt: number; readonly exchange: number; isWaiting: boolean }>
  readonly outstanding: Map<number, Outstanding>
  mostWaiting: number
}

interface SimClient {
  readonly token: string
  acked: number
  call: number
  isAway: boolean
  readonly received: Map<number, string>
}

export interface Outcome {
  readonly steps: number
  readonly submitted: number
  readonly succeeded: number
  readonly failed: number
  readonly cancelled: number
  readonly expired: number
  readonly retries: number
  readonly crashes: number
  readonly lateReports: number
  /** How often each answer was given to a submission, a watch or a cancellation. */
  readonly answers: Readonly<Record<string, number>>
}

const names = ["add", "mail", "resize", "rare"] as const

const everything = [...names, "poison", "crash", "nobody"]

/** Runs about `steps` events of one seed, then lets everything come to its end. Throws when a promise is broken. */
export const simulate = (seed: number, steps: number): Outcome => {
  const random = makeRandom(seed)
  const resultCacheSize = random.between(5, 60)
  const settings: Settings = {
    ...defaults,
    local: random.pick<LocalPolicy>(["when-alone", "always"]),
    maxWaiting: random.between(5, 60),
    maxWaitingBytes: random.between(40, 400),
    maxPayloadBytes: 40,
    resultCacheSize,
    resultCacheBytes: random.between(5, 60) * 450,
    resultCacheTtlMillis: random.between(5_000, 60_000),
    tombstones: resultCacheSize + random.between(20, 200),
    maxOutbox: random.between(5, 40),
    maxSessions: random.between(3, 8),
    sessionTimeoutMillis: 20_000,
    startGraceMillis: random.pick([0, 2_000, 20_000]),
    heartbeatMillis: 1_000,
    heartbeatTimeoutMillis: 3_000,
    reconnectGraceMillis: 500,
    maxCrashes: random.between(1, 3)
  }
  const losses = random.pick([0, 0.02, 0.15])
  const chaos = random.pick([50, 300, 2_000])

  let now = 0
  let order = 0
  let done = 0
  let isCalm = false
  let tokens = 0
  let ids = 0
  let peers = 0
  let stoppedUntil = 0
  const agenda = makeAgenda()
  const answers: Record<string, number> = {}
  const workers = new Set<SimWorker>()
  /**
   * Who ran which attempt. Not judged by it: tasks that a liar had or that were handed back, and those whose id was
   * forgotten and used again.
   */
  const runs = new Map<string, string>()
  const unjudged = new Set<string>()
  const clients: Array<SimClient> = []
  /** What was submitted under ids that a client chose. */
  const history: Array<{ readonly id: string; readonly name: string; readonly args: string }> = []

  const at = (delay: number, run: () => void) => agenda.add({ at: now + Math.max(0, delay), order: order++, run })
  /** Something reaches the control plane, which takes it when it runs again. */
  const atPlane = (delay: number, run: () => void) =>
    at(delay, () => {
      if (now < stoppedUntil) atPlane(stoppedUntil - now, run)
      else run()
    })
  const plane = makePlane({
    settings,
    maxPassed: random.between(1, 8),
    scheduleFlush: () => atPlane(0, () => plane.flush(now))
  })
  const tally = (answer: string) => {
    answers[answer] = (answers[answer] ?? 0) + 1
  }
  const lost = () => !isCalm && random.chance(losses)
  const latency = () => isCalm ? 1 : random.chance(0.05) ? random.between(100, 2_000) : random.between(1, 20)

  // --- Workers ---

  /** Lets a worker act: not when it is dead, later when it is frozen. */
  const act = (worker: SimWorker, run: () => void) => {
    if (!worker.isAlive) return
    if (now < worker.frozenUntil) at(worker.frozenUntil - now, () => act(worker, run))
    else run()
  }

  /** A request of a worker: it may get lost, come twice, or its reply may not find the way back. */
  const send = <A>(
    worker: SimWorker,
    deliver: (peer: number, answer: (reply: A | undefined) => void) => void,
    onReply: (reply: A | undefined) => void
  ) => {
    if (!worker.isConnected) return
    const { peer } = worker
    const copies = !isCalm && random.chance(losses / 3) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      if (lost()) continue
      atPlane(latency(), () =>
        deliver(peer, (reply) => {
          if (lost()) return
          at(latency(), () =>
            act(worker, () => {
              if (worker.peer === peer && worker.isConnected) onReply(reply)
            }))
        }))
    }
  }

  const waiting = (worker: SimWorker) => [...worker.running.values()].filter(({ isWaiting }) => isWaiting).length

  /** The lease that the reply to an exchange may mean: a later exchange brought another attempt of its task. */
  const meant = (worker: SimWorker, id: string, exchange: number) => {
    const entry = worker.running.get(id)
    return entry === undefined || entry.exchange > exchange ? undefined : entry
  }

  const abandon = (worker: SimWorker, ids: ReadonlyArray<string>, exchange: number) => {
    for (const id of ids) if (meant(worker, id, exchange) !== undefined) worker.running.delete(id)
  }

  /** What it was told to stop; it may have ended meanwhile. */
  const stop = (worker: SimWorker, ids: ReadonlyArray<string>, exchange: number) => {
    for (const id of ids) {
      const entry = meant(worker, id, exchange)
      if (entry === undefined || random.chance(0.2)) continue
      at(random.between(0, 200), () =>
        act(worker, () => {
          if (worker.running.get(id) !== entry) return
          worker.running.delete(id)
          worker.reports.push({
            report: { id: id as Report["id"], attempt: entry.attempt, state: "stopped" },
            body: ""
          })
          pump(worker)
        }))
    }
  }

  const held = (worker: SimWorker) => [...worker.running].map(([id, { attempt }]) => ({ id, attempt }))

  const register = (worker: SimWorker) => {
    if (!worker.isAlive || worker.isRegistered) return
    const registration = {
      session: worker.session,
      worker: worker.session,
      slots: worker.slots,
      tasks: worker.names.map((name) => ({ name, ...(name === "rare" ? { priority: "low" as const } : {}) })),
      held: worker.isLiar ? [...held(worker), { id: anyId(), attempt: 1 }] : held(worker),
      seq: worker.tellsSeq ? worker.seq : undefined,
      about: {},
      local: worker.local
    }
    send<RegisterReply>(
      worker,
      (peer, answer) => {
        worker.isOvertaken ||= worker.isRegistered && !worker.tellsSeq
        answer(plane.register(registration, peer, now))
      },
      (reply) => {
        if (worker.isRegistered) return
        abandon(worker, reply?.abandon ?? [], worker.seq)
        worker.isRegistered = true
        stop(worker, reply?.cancel ?? [], worker.seq)
        pump(worker)
      }
    )
    at(isCalm ? 100 : random.between(500, 1_500), () => act(worker, () => register(worker)))
  }

  /** Says from beside the event loop how far that is behind; nothing while the whole process is stopped. */
  const beat = (worker: SimWorker) => {
    if (!worker.isAlive) return
    at(600, () => beat(worker))
    const isFrozen = now < worker.frozenUntil
    if ((isFrozen && worker.blockedSince === undefined) || lost()) return
    const lag = worker.isLiar ? random.below(3_000) : isFrozen ? now - (worker.blockedSince ?? now) : random.below(100)
    atPlane(latency(), () => plane.beat(worker.session, lag, worker.beatPeer, now))
  }

  const detach = (worker: SimWorker) => {
    worker.isRegistered = false
    for (const number of [...worker.outstanding.keys()].toReversed()) giveUp(worker, number)
  }

  const giveUp = (worker: SimWorker, number: number) => {
    const outstanding = worker.outstanding.get(number)
    if (outstanding === undefined) return
    worker.outstanding.delete(number)
    worker.abandoned.push(number)
    worker.reports = [...outstanding.reports, ...worker.reports]
  }

  const pump = (worker: SimWorker) => {
    if (!worker.isAlive || !worker.isRegistered) return
    if (worker.outstanding.has(worker.seq) && (worker.isPlain || worker.reports.length === 0)) return
    exchange(worker)
  }

  const exchange = (worker: SimWorker) => {
    const reports = worker.reports.splice(0, worker.isPlain ? Infinity : random.between(1, 4))
    const [oldest = worker.seq + 1] = worker.outstanding.keys()
    const seq = ++worker.seq
    const isQuiet = reports.length === 0 && worker.outstanding.size === 0 && worker.reports.length === 0
    const message: ExchangeMessage = {
      session: worker.session,
      seq,
      settled: Math.min(oldest, seq) - 1,
      abandoned: worker.abandoned,
      free: worker.isDraining ? 0 : Math.max(0, worker.slots - worker.running.size + waiting(worker)),
      waiting: waiting(worker),
      draining: worker.isDraining,
      held: isQuiet && random.chance(0.5) ? held(worker) : undefined,
      reports
    }
    worker.abandoned = []
    worker.outstanding.set(seq, { message: worker.isLiar ? distort(worker, message) : message, reports })
    transmit(worker, seq)
    at(isCalm ? 3_000 : random.between(4_000, 8_000), () =>
      act(worker, () => {
        if (!worker.outstanding.has(seq)) return
        giveUp(worker, seq)
        pump(worker)
      }))
    if (worker.reports.length > 0) at(0, () => act(worker, () => pump(worker)))
  }

  const transmit = (worker: SimWorker, seq: number) => {
    const outstanding = worker.outstanding.get(seq)
    if (outstanding === undefined) return
    send<ExchangeReply>(
      worker,
      (peer, answer) => plane.exchange(outstanding.message, peer, now, answer),
      (reply) => onExchanged(worker, seq, reply)
    )
    at(random.between(1_500, 2_500), () => act(worker, () => transmit(worker, seq)))
  }

  const onExchanged = (worker: SimWorker, seq: number, reply: ExchangeReply | undefined) => {
    const outstanding = worker.outstanding.get(seq)
    if (outstanding === undefined) return
    worker.outstanding.delete(seq)
    if (reply === undefined) {
      worker.reports = [...outstanding.reports, ...worker.reports]
      detach(worker)
      return register(worker)
    }
    abandon(worker, reply.abandon, seq)
    stop(worker, reply.cancel, seq)
    for (const { attempt, id, name } of reply.leases) {
      if (!worker.names.includes(name)) throw new Mismatch(`${worker.session} got ${name}, for which it has no handler`)
      start(worker, id, name, attempt, seq)
    }
    // One that had nothing to do meanwhile, because its handlers waited, goes on with them beside what it got.
    const mayHold = worker.slots + worker.mostWaiting
    if (!worker.isLiar && !worker.isOvertaken && worker.running.size > mayHold) {
      throw new Mismatch(`${worker.session} has too much to do`)
    }
    pump(worker)
  }

  const start = (worker: SimWorker, id: string, name: string, attempt: number, exchange: number) => {
    if (worker.isLiar) unjudged.add(id)
    if (worker.isDraining || (!isCalm && random.chance(0.03))) {
      // Handed back unstarted, so its number is given again; a second copy of this report can't be told from a first one.
      unjudged.add(id)
      worker.reports.push({ report: { id: id as Report["id"], attempt, state: "returned" }, body: "" })
      return
    }
    const entry = { attempt, exchange, isWaiting: random.chance(0.05) }
    worker.running.set(id, entry)
    worker.mostWaiting = Math.max(worker.mostWaiting, waiting(worker))
    // The number of an attempt is what tells two runs of a task apart, whoever runs them.
    const run = `${id}/${attempt}`
    if (runs.has(run) && !unjudged.has(id)) {
      throw new Mismatch(`attempt ${attempt} of ${id} was run by ${runs.get(run)} too`)
    }
    runs.set(run, worker.session)
    at(random.chance(0.1) ? random.between(100, 6_000) : random.between(1, 100), () =>
      act(worker, () => {
        if (worker.running.get(id) !== entry) return
        if (name === "poison" && random.chance(0.4)) return die(worker)
        worker.running.delete(id)
        worker.reports.push(
          name === "crash" && random.chance(0.6)
            ? { report: { id: id as Report["id"], attempt, state: "crashed" }, body: "its thread died" }
            : result(worker, id, attempt)
        )
        pump(worker)
      }))
  }

  const result = (worker: SimWorker, id: string, attempt: number): PendingReport => {
    const body = `${worker.session}/${id}/${attempt}/${order}`.slice(0, 40)
    const state = random.chance(0.8) ? "succeeded" : "failed"
    const reason = state === "succeeded"
      ? {}
      : random.pick([{ reason: "error" as const }, { reason: "defect" as const }, {}, again()])
    return { report: { id: id as Report["id"], attempt, state, ...reason }, body }
  }

  /** Fractions, so that no two times are the same. */
  const later = (most: number) => random.between(0, most) + random.next()

  const again = () => ({ reason: "error" as const, retryIn: later(1_000) })

  const anyId = (): string => {
    const alive = [...plane.model.tasks.keys()]
    if (alive.length > 0 && random.chance(0.7)) return random.pick(alive)
    return history.length > 0 && random.chance(0.7) ? random.pick(history).id : "nobody"
  }

  /** What a broken or malicious worker might say instead. */
  const distort = (worker: SimWorker, message: ExchangeMessage): ExchangeMessage => {
    const invented = (): PendingReport => result(worker, anyId(), random.between(0, 3))
    const lease = () => ({ id: anyId(), attempt: random.between(0, 2) })
    return {
      ...message,
      waiting: random.chance(0.2) ? random.between(0, 20) : message.waiting,
      free: random.chance(0.3) ? random.between(0, 1_000) : message.free,
      settled: random.chance(0.2) ? random.between(0, message.seq + 5) : message.settled,
      abandoned: random.chance(0.2) ? [random.between(0, message.seq + 2)] : message.abandoned,
      held: random.chance(0.2) ? [lease(), lease(), ...(message.held ?? [])] : message.held,
      reports: random.chance(0.4) ? [...message.reports, invented(), invented()] : message.reports
    }
  }

  const die = (worker: SimWorker) => {
    worker.isAlive = false
    workers.delete(worker)
    const { beatPeer, peer } = worker
    // The connection of a killed process closes; that of a machine that lost its power does not.
    if (random.chance(0.7)) {
      atPlane(latency(), () => plane.closed(peer, now))
      atPlane(latency(), () => plane.closed(beatPeer, now))
    }
  }

  const disconnect = (worker: SimWorker) => {
    const { peer } = worker
    worker.isConnected = false
    atPlane(latency(), () => plane.closed(peer, now))
    at(isCalm ? 1 : random.between(1, 2 * settings.reconnectGraceMillis), () => {
      worker.peer = ++peers
      worker.isConnected = true
      act(worker, () => {
        if (!worker.isRegistered) return register(worker)
        // Some register again with what they hold, others only send again.
        if (random.chance(0.4)) {
          detach(worker)
          register(worker)
        } else for (const seq of worker.outstanding.keys()) transmit(worker, seq)
      })
    })
  }

  const leave = (worker: SimWorker) => {
    worker.isDraining = true
    at(random.between(0, 500), () =>
      act(worker, () => {
        const reports = worker.reports.splice(0)
        send<{}>(worker, (_, answer) => plane.leave(worker.session, reports, now, answer), () => {})
        worker.isAlive = false
        workers.delete(worker)
      }))
  }

  const hire = (
    knows: ReadonlyArray<string> = random.chance(0.5)
      ? [...names, "poison", "crash"]
      : random.shuffle([...names, "poison", "crash"]).slice(0, 3)
  ) => {
    const worker: SimWorker = {
      session: `w${++tokens}`,
      slots: random.between(1, 6),
      names: knows,
      local: random.chance(0.15),
      isPlain: random.chance(0.3),
      isLiar: !isCalm && random.chance(0.15),
      tellsSeq: random.chance(0.7),
      peer: ++peers,
      isConnected: true,
      isAlive: true,
      isRegistered: false,
      isDraining: false,
      isOvertaken: false,
      frozenUntil: 0,
      blockedSince: undefined,
      beatPeer: ++peers,
      seq: 0,
      abandoned: [],
      reports: [],
      running: new Map(),
      outstanding: new Map(),
      mostWaiting: 0
    }
    workers.add(worker)
    register(worker)
    if (!worker.isPlain) beat(worker)
  }

  const disturb = () => {
    if (isCalm) return
    at(random.between(1, 2 * chaos), disturb)
    if (workers.size < 4 || (workers.size < 10 && random.chance(0.3))) return hire()
    if (random.chance(0.03)) stoppedUntil = now + random.between(0, 3 * settings.heartbeatTimeoutMillis)
    const worker = random.pick([...workers])
    const what = random.below(10)
    if (what < 4) disconnect(worker)
    else if (what < 6) {
      worker.frozenUntil = now + random.between(0, 2 * settings.heartbeatTimeoutMillis)
      worker.blockedSince = random.chance(0.5) ? now : undefined
    } else if (what < 8) die(worker)
    else leave(worker)
  }

  // --- Clients ---

  const submit = (client: SimClient) => {
    const isOwnId = random.chance(0.6)
    const past = isOwnId && history.length > 0 && random.chance(0.4) ? random.pick(history) : undefined
    const fresh = {
      id: isOwnId ? `own-${++ids}` : `made-${++ids}`,
      name: random.chance(0.01) ? "nobody" : random.chance(0.1) ? random.pick(["poison", "crash"]) : random.pick(names),
      args: "x".repeat(random.chance(0.02) ? random.between(38, 45) : random.between(0, 12))
    }
    const change = past !== undefined && random.chance(0.2)
      ? random.pick([{ name: random.pick(names) }, { args: `${past.args}!` }])
      : {}
    const submission = {
      ...(past ?? fresh),
      ...change,
      isOwnId,
      level: random.chance(0.9) ? random.below(4) as PriorityLevel : undefined,
      watcher: random.chance(0.7) ? client.token : undefined,
      dueAt: random.chance(0.1) ? now + later(3_000) : 0,
      expiresAt: random.chance(0.1) ? now + later(3_000) : Infinity
    }
    if (past === undefined && isOwnId) history.push(fresh)
    if (history.length > 300) history.shift()
    const wasAlive = plane.model.tasks.has(submission.id)
    tally(plane.submit(submission, now))
    if (past !== undefined && !wasAlive && plane.model.tasks.has(submission.id)) unjudged.add(submission.id)
    // A request whose reply was lost comes again.
    if (isOwnId && random.chance(losses)) atPlane(latency(), () => tally(plane.submit(submission, now)))
  }

  const collect = (client: SimClient) => {
    const call = ++client.call
    const wait = random.pick([0, 500, 2_000])
    at(wait + 3_000, () => {
      // No answer came: asked again, with what was received so far.
      if (client.call === call && !client.isAway) collect(client)
    })
    if (lost()) return
    atPlane(latency(), () => {
      const ack = client.acked
      plane.collect(client.token, ack, { wait, limit: random.between(1, 10) }, now, (reply) => {
        if (lost()) return
        at(latency(), () => {
          receive(client, reply)
          if (client.call === call && !client.isAway) collect(client)
        })
      })
    })
  }

  const receive = (client: SimClient, { last, outcomes }: CollectReply) => {
    for (let i = 0; i < outcomes.length; i++) {
      const number = last - outcomes.length + 1 + i
      const { body, id } = outcomes[i] as CollectReply["outcomes"][number]
      const content = `${id} ${body}`
      const known = client.received.get(number)
      if (known !== undefined && known !== content) throw new Mismatch(`outcome ${number} was ${known}, now ${content}`)
      client.received.set(number, content)
    }
    client.acked = Math.max(client.acked, last)
  }

  const behave = (client: SimClient) => {
    if (isCalm) return
    at(random.between(1, 25), () => behave(client))
    if (client.isAway || now < stoppedUntil) return
    const what = random.below(100)
    if (what < 70) submit(client)
    else if (what < 80) tally(`watch ${plane.watch(client.token, anyId(), now)}`)
    else if (what < 85) {
      tally(`prioritize ${plane.prioritize(anyId(), random.below(4) as PriorityLevel, now)}`)
    } else if (what < 90) tally(`cancel ${plane.cancel(anyId(), now)}`)
    else if (what < 91) {
      client.isAway = true
      at(random.between(100, 2 * settings.sessionTimeoutMillis), () => {
        client.isAway = false
        collect(client)
      })
    }
  }

  // --- Time ---

  const step = (): boolean => {
    const event = agenda.take()
    if (event === undefined) return false
    now = Math.max(now, event.at)
    event.run()
    if (++done % 16 === 0) plane.compare(now)
    return true
  }

  const sweep = () => {
    atPlane(100, sweep)
    plane.sweep(now)
  }

  const runUntil = (what: string, isDone: () => boolean, millis: number) => {
    const end = now + millis
    while (!isDone()) {
      if (!step() || now > end) throw new Mismatch(`not within ${millis} virtual ms: ${what}`)
    }
  }

  try {
    for (let i = random.between(2, 5); i > 0; i--) {
      const client: SimClient = { token: `c${++tokens}`, acked: 0, call: 0, isAway: false, received: new Map() }
      clients.push(client)
      behave(client)
      collect(client)
    }
    for (let i = random.between(0, 3); i > 0; i--) hire()
    sweep()
    disturb()
    runUntil("all the steps", () => done >= steps, Infinity)

    // From now on everybody behaves, so every task must come to its outcome and every outcome to who waits for it.
    isCalm = true
    const isDrained = random.chance(0.3)
    for (const worker of workers) if (worker.isLiar) die(worker)
    if (isDrained) plane.drain()
    else for (let i = 0; i < 3; i++) hire([...everything])
    // `poison` still kills: somebody must come after those.
    const replace = () => {
      const isKnown = [...workers].some(({ isDraining, names }) => names.length === everything.length && !isDraining)
      if (workers.size < 5 || !isKnown) hire([...everything])
      at(200, replace)
    }
    replace()
    if (isDrained) {
      runUntil("the running tasks to end", () => plane.core.counts.running === 0, 120_000)
      plane.cancelWaiting(now)
    } else runUntil("every task to have an outcome", () => plane.model.tasks.size === 0, 600_000)
    for (const client of clients) {
      client.isAway = false
      collect(client)
    }
    const pending = () => [...plane.model.sessions.values()].some(({ outbox }) => outbox.length > 0)
    runUntil("every outcome to be collected", () => !pending(), 120_000)
    plane.compare(now)
    return { steps: done, ...plane.core.counts, answers }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`seed ${seed}, step ${done} of ${steps}, at ${now} ms: ${reason}`, { cause })
  }
}
