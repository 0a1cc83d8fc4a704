/**
 * The world around a control plane: time, the network, workers, clients, a journal, and control planes that end and start
 * again. Plays a script step by step; in the end everybody behaves, and every task must come to its outcome.
 */
import type { TaskType } from "../../src/domain/Message.ts"
import type { Payload } from "../../src/services/Transport.ts"
import type { Audit } from "./Audit.ts"
import { makeAudit } from "./Audit.ts"
import type { Caller } from "./Callers.ts"
import { makeCallers } from "./Callers.ts"
import { makeCopies } from "./Copies.ts"
import { makeDurable } from "./Durable.ts"
import type { Worker } from "./Labour.ts"
import { makeLabour } from "./Labour.ts"
import { makeMemoryJournal } from "./MemoryJournal.ts"
import type { Link, Request } from "./Network.ts"
import { cut, incoming, makeLink, receive, token } from "./Network.ts"
import { checkRestored } from "./Restored.ts"
import type { Setup, Step } from "./Script.ts"
import { Broken } from "./Script.ts"
import type { Server, Tamper } from "./Server.ts"
import { makeServer } from "./Server.ts"

export type World = ReturnType<typeof makeWorld>

/** Everything is compared after so many steps. */
const checkAllEvery = 32

const sweepMillis = 100

/** Requests that change nothing and tell of no outcome. */
const reads: ReadonlySet<string> = new Set(["submit"])

export const makeWorld = (setup: Setup, tamper?: Tamper) => {
  let now = 0
  let wallOffset = 1_700_000_000_000
  let sweepAt = sweepMillis
  let peers = 0
  let incarnation = 0
  let made = 0
  /** Everything that happened: steps, messages that arrived, turns and sweeps. */
  let happened = 0
  /** How often each kind of thing happened. */
  const seen = new Map<string, number>()
  const timeNow = () => now
  const wall = () => now + wallOffset
  const links = new Map<string, Link>()
  /** Connections that are gone and of which the control plane has not been told. */
  let unnoticed: Array<number> = []
  const types = new Map(setup.types.map((type) => [type.name, type as TaskType]))
  const journal = setup.isDurable ? makeMemoryJournal(wall) : undefined
  const durable = journal === undefined ? undefined : makeDurable(journal.store.position)
  /** What callers were told; it holds for ever. */
  const accepted = new Set<string>()
  const told = new Map<string, string>()
  /** Who ran which attempt; not of tasks that were handed back, or that a liar had. */
  const runs = new Map<string, string>()
  const unjudged = new Set<string>()

  const labour = makeLabour({
    typeOf: (name) => types.get(name) ?? { name },
    onLease(worker, { attempt, id }, args, checkpoint) {
      const entry = audit.entries.get(id)
      const isCurrent = entry !== undefined && entry.worker?.session === worker.session && entry.attempt === attempt
      if (isCurrent && Buffer.from(entry.args).toString() !== args) {
        throw new Broken("arguments arrive as they were sent", `${id} has ${args}`)
      }
      if (isCurrent && checkpoint !== undefined && entry.progress !== checkpoint) {
        throw new Broken("an attempt goes on from the last checkpoint", `${id}: ${checkpoint}, not ${entry.progress}`)
      }
      if (worker.isLiar || worker.isDraining) unjudged.add(id)
      const run = `${incarnation} ${id}/${attempt}`
      const other = runs.get(run)
      if (other !== undefined && !unjudged.has(id)) {
        throw new Broken(
          "the attempt is the fencing token",
          `${attempt} of ${id} was run by ${other} and ${worker.session}`
        )
      }
      runs.set(run, worker.session)
    }
  })

  const callers = makeCallers({
    isMade: (id) => id.startsWith("made-") || id.includes("@"),
    onAccepted(id) {
      accepted.add(id)
      if (durable !== undefined && !durable.tasks.has(id) && !durable.outcomes.has(id)) {
        throw new Broken("accepted is stored", `${id} was said to be accepted and is not in the journal`)
      }
    },
    onTold(id, text) {
      const known = told.get(id)
      if (known !== undefined && known !== text) {
        throw new Broken("an outcome is final", `${id} was told to be "${known}" and is "${text}"`)
      }
      told.set(id, text)
      const mark = audit.outcomes.get(id)
      if (mark !== undefined && mark.text !== text) {
        throw new Broken("the outcome is what was reported", `of ${id} "${text}" is told, it is "${mark.text}"`)
      }
    }
  })

  const see = (what: string) => void seen.set(what, (seen.get(what) ?? 0) + 1)

  const reborn = (id: string) => {
    told.delete(id)
    accepted.delete(id)
    runs.clear()
  }

  const newAudit = (): Audit =>
    makeAudit({
      setup,
      durable,
      now: timeNow,
      wall,
      reborn,
      see,
      isRestarted: durable !== undefined && incarnation > 0
    })

  const newServer = (audit: Audit): Server => {
    incarnation++
    return makeServer({
      setup,
      epoch: token("e", incarnation),
      now: timeNow,
      wall,
      randomId: () => `made-${++made}`,
      journal,
      tamper,
      witness: { observer: audit.observer, watch: audit.watch }
    })
  }

  const copies = makeCopies({ accepted: () => audit.counts.submitted, see })
  let audit = newAudit()
  let server = newServer(audit)

  // --- The control plane's time ---

  const check = () => {
    audit.check()
    if (++happened % checkAllEvery === 0) audit.checkAll()
  }

  const turn = () => {
    if (server.isTurnDue()) server.turn()
    check()
  }

  const notice = () => {
    const closed = unnoticed
    unnoticed = []
    for (const peer of closed) server.onClose(peer)
  }

  /** Time passes while the control plane runs. */
  const pass = (ms: number) => {
    turn()
    const end = now + ms
    while (true) {
      const due = server.core.nextDue()
      const wake = due === undefined ? Infinity : Math.max(due, now + 1)
      const next = Math.min(sweepAt, wake)
      if (next > end) break
      now = Math.max(now, next)
      if (sweepAt <= now) {
        sweepAt = now + sweepMillis
        server.sweep()
        check()
      }
      server.turn()
      check()
    }
    now = end
    if (ms >= sweepMillis) notice()
  }

  // --- Messages ---

  /** What a reply tells must be stored by the time it leaves. */
  const checkDurable = (request: Request, payload: Payload, position: number | undefined) => {
    if (journal === undefined || durable === undefined || reads.has(request.op)) return
    const wanted = position ?? journal.store.position()
    const isError = typeof payload[0] === "string" && payload[0].startsWith("{\"v\":1,\"error\"")
    if (!isError && request.op !== "collect" && journal.store.committed() < wanted) {
      throw new Broken(
        "what is told is stored",
        `${request.op} was answered at ${journal.store.committed()} of ${wanted}`
      )
    }
  }

  /** Who a message that may come again is of. */
  const ownerOf = ({ who }: Link, { op }: Request): object | undefined => {
    const number = Number(who.slice(1))
    if (op === "exchange") return server.registry.bySession(labour.workers.get(number)?.session ?? "")
    // It is opened by the message in any case.
    return op === "submit" ? server.core.sessions.open(callers.callers.get(number)?.token ?? "", now) : undefined
  }

  const arrive = (link: Link) => {
    const request = link.up.shift()
    if (request === undefined) return
    let position: number | undefined
    const copy = copies.arrives(ownerOf(link, request), request)
    const message = incoming(link, request, (payload) => {
      if (!link.isWorker) checkDurable(request, payload, position)
      copy?.answered(payload)
    })
    if (!link.isWorker) server.onClientRequest(message)
    else if (link.isLocal) server.onWorkerRequest.local(message)
    else server.onWorkerRequest.remote(message)
    position = journal?.store.position()
    copy?.taken()
    check()
  }

  const closed = (peer: number, isNoticed: boolean) => {
    if (isNoticed) server.onClose(peer)
    else unnoticed.push(peer)
  }

  const linkOf = (who: string, isWorker: boolean, isLocal: boolean): Link => {
    const link = makeLink(who, isWorker, isLocal, ++peers)
    links.set(who, link)
    return link
  }

  const resend = (link: Link) => {
    const [oldest] = link.pending
    if (oldest !== undefined && link.isOpen && link.up.length < 50) link.up.push(oldest)
  }

  const reconnect = (link: Link) => {
    if (link.isOpen) return
    link.isOpen = true
    link.peer = ++peers
  }

  const kill = (worker: Worker, isNoticed: boolean) => {
    if (worker.link.isOpen) closed(worker.link.peer, isNoticed)
    closed(worker.beatPeer, isNoticed)
    cut(worker.link)
    links.delete(worker.link.who)
    labour.workers.delete(worker.w)
  }

  const restart = (ms: number, isKilled: boolean) => {
    if (!isKilled) {
      turn()
      server.core.drain()
      if (journal === undefined) server.core.cancelWaiting(now)
      turn()
      journal?.commit(Infinity)
      durable?.committed(journal?.store.committed() ?? 0)
    }
    journal?.crash()
    durable?.crash()
    now += ms
    sweepAt = now + sweepMillis
    unnoticed = []
    for (const link of links.values()) {
      cut(link)
      reconnect(link)
    }
    if (durable === undefined) {
      told.clear()
      accepted.clear()
      for (const { received, wanted } of callers.callers.values()) {
        wanted.clear()
        received.clear()
      }
    }
    durable?.restarts(wall())
    audit = newAudit()
    server = newServer(audit)
    if (durable !== undefined) checkRestored({ server, audit, durable, now, wall: wall() })
  }

  // --- Steps ---

  const withWorker = (w: number, body: (worker: Worker) => void) => {
    const worker = labour.workers.get(w)
    if (worker !== undefined) body(worker)
  }

  const withRun = (w: number, at: number, body: (worker: Worker, id: string, isToStop: boolean) => void) =>
    withWorker(w, (worker) => {
      const run = labour.runAt(worker, at)
      if (run !== undefined) body(worker, run[0], run[1].isToStop)
    })

  const withCaller = (c: number, body: (caller: Caller) => void) => {
    const caller = callers.callers.get(c)
    if (caller !== undefined) body(caller)
  }

  const withLink = (who: string, body: (link: Link) => void) => {
    const link = links.get(who)
    if (link !== undefined) body(link)
  }

  const commit = (entries: number) => {
    if (journal === undefined) return
    // First the books: whoever is told by the commit may rely on it.
    const before = journal.store.committed()
    const position = journal.positionAfter(entries)
    if (position > before) durable?.committed(position)
    journal.commit(entries)
  }

  const play = (step: Step) => {
    switch (step.t) {
      case "time":
        return pass(step.ms)
      case "stall":
        now += step.ms
        return
      case "wall":
        wallOffset += step.ms
        return
      case "turn":
        return turn()
      case "hire": {
        if (labour.workers.has(step.w)) return
        return labour.hire(step, linkOf(`w${step.w}`, true, step.isLocal === true), ++peers)
      }
      case "register":
        return withWorker(step.w, (worker) => labour.register(worker, worker.isLiar ? step.held : []))
      case "exchange":
        return withWorker(step.w, (worker) => labour.exchange(worker, step.lie))
      case "resend":
        return withLink(step.who, resend)
      case "giveUp":
        return withLink(step.who, (link) => {
          const worker = labour.workers.get(Number(step.who.slice(1)))
          if (link.isWorker && worker !== undefined) {
            const [seq] = worker.outstanding.keys()
            if (seq !== undefined) labour.giveUp(worker, seq)
          } else {
            const [oldest] = link.pending
            if (oldest !== undefined) link.pending.delete(oldest)
          }
        })
      case "end":
        return withRun(step.w, step.at, (worker, id) => {
          const { body = "", how, retryIn } = step
          if (how === "returned") unjudged.add(id)
          labour.end(worker, id, {
            state: how,
            body,
            ...(how === "failed" ? { reason: "error" } : {}),
            ...(how === "failed" && retryIn !== undefined ? { retryIn } : {})
          })
        })
      case "obey":
        return withWorker(step.w, (worker) => {
          const stopping = [...worker.running].filter(([, { isToStop }]) => isToStop)
          const [id] = stopping[step.at % Math.max(1, stopping.length)] ?? []
          if (id !== undefined) labour.end(worker, id, { state: "stopped", body: "" })
        })
      case "wait":
        return withRun(step.w, step.at, (worker, id) => labour.wait(worker, id, step.at % 2 === 0))
      case "progress":
        return withRun(step.w, step.at, (worker, id) => {
          const attempt = worker.running.get(id)?.attempt ?? 0
          worker.progress.set(id, { attempt, body: step.body })
        })
      case "beat":
        return withWorker(step.w, ({ beatPeer, session }) => {
          const message = Buffer.from(JSON.stringify({ v: 1, op: "beat", session, lag: step.lag }))
          server.onWorkerRequest.remote({ body: message, peer: beatPeer, reply: () => {} })
        })
      case "drain":
        return withWorker(step.w, (worker) => {
          worker.isDraining = true
        })
      case "leave":
        return withWorker(step.w, (worker) => {
          for (const id of worker.running.keys()) unjudged.add(id)
          labour.leave(worker)
        })
      case "kill":
        return withWorker(Number(step.who.slice(1)), (worker) => kill(worker, step.isNoticed))
      case "cut":
        return withLink(step.who, (link) => {
          if (!link.isOpen) return
          closed(link.peer, step.isNoticed)
          cut(link)
        })
      case "connect":
        return withLink(step.who, reconnect)
      case "up":
        return withLink(step.who, arrive)
      case "down":
        return withLink(step.who, receive)
      case "submit":
        return withCaller(step.c, (caller) => callers.submit(caller, step.tasks))
      case "watch":
        return withCaller(step.c, (caller) => callers.watch(caller, step.ids, step.progress))
      case "collect":
        return withCaller(step.c, (caller) => {
          if (!caller.isCollecting) callers.collect(caller, step.wait)
        })
      case "ask":
        return withCaller(step.c, (caller) => callers.ask(caller, step.question))
      case "commit":
        return commit(step.entries)
      case "refuse": {
        durable?.refused(new Set(journal?.pendingTasks()))
        return journal?.refuse()
      }
      case "restart":
        return restart(step.ms, step.isKilled)
      case "limit": {
        const { limits: _, ...type } = types.get(step.name) ?? { name: step.name }
        types.set(step.name, step.limits === undefined ? type : { ...type, limits: step.limits })
      }
    }
  }

  for (let c = 0; c < setup.clients; c++) callers.hire(c, linkOf(`c${c}`, false, false))

  return {
    links,
    labour,
    callers,
    types,
    journal,
    setup,
    durable,
    now: timeNow,
    server: () => server,
    audit: () => audit,
    told,
    pass,
    commit,
    arrive,
    receive: (link: Link) => {
      happened++
      receive(link)
    },
    kill,
    resend,
    reconnect,
    notice,
    nextPeer: () => ++peers,
    seen,
    happened: () => happened,

    play(step: Step) {
      play(step)
      check()
    }
  }
}
