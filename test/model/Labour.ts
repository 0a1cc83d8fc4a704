/**
 * Workers of the simulation: they speak the protocol as ours do, with several exchanges at a time, or as a plain one with
 * a single socket does. Some lie. What they do is told them step by step.
 */
import { protocolVersion as v } from "../../src/domain/Message.ts"
import type { TaskType } from "../../src/domain/Message.ts"
import type { Header, Link } from "./Network.ts"
import { encode, send, splitBody, token } from "./Network.ts"
import type { Lease, Lie, Step } from "./Script.ts"
import { Broken } from "./Script.ts"

export interface Report extends Lease {
  readonly state: string
  readonly reason?: string
  readonly retryIn?: number
  readonly body: string
}

export interface Run {
  readonly attempt: number
  readonly name: string
  /** The handler waits for other tasks and leaves its slot to them. */
  isWaiting: boolean
  /** The one that brought it. */
  readonly exchange: number
  isToStop: boolean
}

export interface Worker {
  readonly w: number
  readonly session: string
  readonly slots: number
  readonly names: ReadonlyArray<string>
  readonly isPlain: boolean
  readonly isLiar: boolean
  readonly link: Link
  readonly beatPeer: number
  isRegistered: boolean
  isRegistering: boolean
  isDraining: boolean
  /** A late copy of a registration may have taken back what it runs. */
  isOvertaken: boolean
  seq: number
  mostWaiting: number
  abandoned: Array<number>
  reports: Array<Report>
  progress: Map<string, { readonly attempt: number; readonly body: string }>
  readonly running: Map<string, Run>
  readonly outstanding: Map<number, { readonly reports: ReadonlyArray<Report>; readonly request: object }>
}

export type Labour = ReturnType<typeof makeLabour>

interface WireLease extends Lease {
  readonly name: string
  readonly size: number
  readonly checkpoint?: number
}

// Who reads a message knows what its lists hold.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
const list = <A>(value: unknown): ReadonlyArray<A> => (value ?? []) as ReadonlyArray<A>

export const makeLabour = ({ onLease, typeOf }: {
  readonly typeOf: (name: string) => TaskType
  /** A worker got a lease; returns whether its number has been run by another. */
  readonly onLease: (worker: Worker, lease: WireLease, args: string, checkpoint: string | undefined) => void
}) => {
  const workers = new Map<number, Worker>()

  const held = ({ running }: Worker): Array<Lease> => [...running].map(([id, { attempt }]) => ({ id, attempt }))
  const waiting = ({ running }: Worker) => {
    let count = 0
    for (const { isWaiting } of running.values()) if (isWaiting) count++
    return count
  }

  const detach = (worker: Worker) => {
    worker.isRegistered = false
    for (const seq of [...worker.outstanding.keys()].toReversed()) giveUp(worker, seq)
  }

  const giveUp = (worker: Worker, seq: number) => {
    const outstanding = worker.outstanding.get(seq)
    if (outstanding === undefined) return
    worker.outstanding.delete(seq)
    worker.link.pending.delete(outstanding.request as never)
    worker.abandoned.push(seq)
    worker.reports.unshift(...outstanding.reports)
  }

  /** The reply to an exchange can't mean what a later one has brought. */
  const obey = (worker: Worker, reply: Header, exchange: number) => {
    for (const id of list<string>(reply["abandon"])) {
      if ((worker.running.get(id)?.exchange ?? Infinity) <= exchange) worker.running.delete(id)
    }
    for (const id of list<string>(reply["cancel"])) {
      const run = worker.running.get(id)
      if (run !== undefined && run.exchange <= exchange) run.isToStop = true
    }
  }

  const onExchanged = (worker: Worker, seq: number, header: Header, body: string) => {
    const outstanding = worker.outstanding.get(seq)
    if (outstanding === undefined) return
    worker.outstanding.delete(seq)
    if (header.error !== undefined) {
      worker.reports.unshift(...outstanding.reports)
      return detach(worker)
    }
    obey(worker, header, seq)
    const leases = list<WireLease>(header["leases"])
    const bodies = splitBody(
      body,
      leases.flatMap(({ checkpoint, size }) => [size, ...(checkpoint === undefined ? [] : [checkpoint])])
    )
    let at = 0
    for (const lease of leases) {
      const args = bodies[at++] as string
      const checkpoint = lease.checkpoint === undefined ? undefined : bodies[at++]
      if (!worker.names.includes(lease.name)) {
        throw new Broken("a worker gets what it can run", `${worker.session} got ${lease.name}`)
      }
      onLease(worker, lease, args, checkpoint)
      if (worker.isDraining) {
        worker.reports.push({ id: lease.id, attempt: lease.attempt, state: "returned", body: "" })
        continue
      }
      const { attempt, id, name } = lease
      worker.running.set(id, { attempt, name, exchange: seq, isWaiting: false, isToStop: false })
    }
    if (!worker.isLiar && !worker.isOvertaken && worker.running.size > worker.slots + worker.mostWaiting) {
      throw new Broken("no lease beyond slots", `${worker.session} runs ${worker.running.size} of ${worker.slots}`)
    }
  }

  const wire = ({ attempt, body, id, reason, retryIn, state }: Report) => ({
    id,
    attempt,
    state,
    size: body.length,
    ...(reason === undefined ? {} : { reason }),
    ...(retryIn === undefined ? {} : { retryIn })
  })

  const distort = (lie: Lie | undefined, header: Record<string, unknown>, reports: ReadonlyArray<Report>) => {
    const { reports: invented = [], ...said } = lie ?? {}
    Object.assign(header, said)
    return [...reports, ...invented.map((report) => ({ ...report, body: "invented" }))]
  }

  return {
    workers,
    held,
    giveUp,

    hire(
      { isLiar = false, isPlain = false, names, slots, w }: Extract<Step, { readonly t: "hire" }>,
      link: Link,
      beatPeer: number
    ) {
      workers.set(w, {
        w,
        session: token("a", w),
        slots,
        names,
        isPlain,
        isLiar,
        link,
        beatPeer,
        isRegistered: false,
        isRegistering: false,
        isDraining: false,
        isOvertaken: false,
        seq: 0,
        mostWaiting: 0,
        abandoned: [],
        reports: [],
        progress: new Map(),
        running: new Map(),
        outstanding: new Map()
      })
    },

    register(worker: Worker, also: ReadonlyArray<Lease> = []) {
      if (worker.isRegistering) return
      detach(worker)
      worker.isRegistering = true
      const header = {
        v,
        op: "register",
        session: worker.session,
        worker: `id-${worker.w}`,
        slots: worker.slots,
        tasks: worker.names.map(typeOf),
        held: [...held(worker), ...also],
        ...(worker.isPlain ? {} : { seq: worker.seq })
      }
      send(worker.link, {
        message: encode(header),
        op: "register",
        onReply(reply) {
          worker.isRegistering = false
          if (reply.error !== undefined) return
          obey(worker, reply, worker.seq)
          worker.isRegistered = true
        }
      })
    },

    /** Sends the next exchange, if it is time for one. */
    exchange(worker: Worker, lie?: Lie) {
      if (!worker.isRegistered) return
      if (worker.outstanding.has(worker.seq) && (worker.isPlain || worker.reports.length === 0)) return
      const seq = ++worker.seq
      const isQuiet = worker.reports.length === 0 && worker.outstanding.size === 0
      const [oldest = seq] = worker.outstanding.keys()
      const reports = worker.reports.splice(0, worker.isPlain ? worker.reports.length : 3)
      const progress = [...worker.progress]
      worker.progress = new Map()
      const header: Record<string, unknown> = {
        v,
        op: "exchange",
        session: worker.session,
        seq,
        settled: oldest - 1,
        free: worker.isDraining ? 0 : Math.max(0, worker.slots - worker.running.size + waiting(worker)),
        waiting: waiting(worker),
        ...(worker.abandoned.length > 0 ? { abandoned: worker.abandoned } : {}),
        ...(worker.isDraining ? { draining: true } : {}),
        ...(isQuiet && seq % 2 === 0 ? { held: held(worker) } : {})
      }
      worker.abandoned = []
      const said = distort(worker.isLiar ? lie : undefined, header, reports)
      header["reports"] = said.map(wire)
      header["progress"] = progress.map(([id, { attempt, body }]) => ({ id, attempt, size: body.length }))
      const request = {
        message: encode(header, [...said.map(({ body }) => body), ...progress.map(([, { body }]) => body)]),
        op: "exchange",
        onReply: (reply: Header, body: string) => onExchanged(worker, seq, reply, body)
      }
      worker.outstanding.set(seq, { reports, request })
      send(worker.link, request)
    },

    /** What runs at this place, whatever number it is. */
    runAt(worker: Worker, at: number): readonly [string, Run] | undefined {
      if (worker.running.size === 0) return undefined
      return [...worker.running][at % worker.running.size]
    },

    end(worker: Worker, id: string, report: Omit<Report, "id" | "attempt">) {
      const run = worker.running.get(id)
      if (run === undefined) return
      worker.running.delete(id)
      worker.progress.delete(id)
      worker.reports.push({ id, attempt: run.attempt, ...report })
    },

    wait(worker: Worker, id: string, isWaiting: boolean) {
      const run = worker.running.get(id)
      if (run !== undefined) run.isWaiting = isWaiting
      worker.mostWaiting = Math.max(worker.mostWaiting, waiting(worker))
    },

    leave(worker: Worker) {
      const reports = worker.reports.splice(0)
      const header = { v, op: "leave", session: worker.session, reports: reports.map(wire) }
      send(worker.link, {
        message: encode(header, reports.map(({ body }) => body)),
        op: "leave",
        onReply: () => {}
      })
      worker.isDraining = true
      worker.isRegistered = false
      worker.running.clear()
    }
  }
}
