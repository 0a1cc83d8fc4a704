/**
 * A client and any number of workers that speak the protocol over real sockets and do no work, in one process: what the
 * control plane uses for each task is read from outside. Tasks are submitted in batches of 1,000, so that only the number
 * of workers differs, and there are always more waiting than there are slots.
 */
import { Req } from "node-nng"
import { token } from "../headless.ts"
import { cpuMicros } from "../processes.ts"

export interface PeersPlan {
  readonly address: string
  readonly workerAddress: string
  readonly pid: number
  readonly workers: number
  readonly slots: number
  readonly millis: number
  readonly warmUpMillis: number
}

export interface PeersReport {
  readonly planeMicros: number
  readonly rate: number
  /** Leases in an exchange that brought some. */
  readonly perExchange: number
  readonly submitted: number
  readonly executions: number
  readonly wrong: number
}

interface Lease {
  readonly id: string
  readonly attempt: number
}

const plan = JSON.parse(process.argv[2] ?? "{}") as PeersPlan
const batch = 1_000
const args = "{\"x\":1,\"y\":1}"
const newline = 0x0a

const wait = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** Sends requests on a connection of its own. */
const dial = async (address: string) => {
  const req = new Req({ receiveMaxBytes: 0 })
  const connected = Promise.withResolvers<void>()
  req.onPipe(() => connected.resolve())
  req.dial(address)
  await connected.promise
  return async <A>(header: object, body = ""): Promise<A> => {
    const reply = Buffer.from(await req.request(`${JSON.stringify({ v: 1, ...header })}\n${body}`))
    const end = reply.indexOf(newline)
    const answer = JSON.parse(reply.toString("utf8", 0, end === -1 ? reply.length : end)) as A & { error?: object }
    if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error))
    return answer
  }
}

/** How long what was submitted may take until it is done, when no more is. */
const drainMillis = 30_000

const submit = await dial(plan.address)
const begun = new Set<string>()
let executions = 0
let exchanges = 0
let submitted = 0
let isOver = false

/** Several times as many as there are slots, so that every exchange that comes is answered with all that it asks for. */
const enough = 4 * plan.workers * plan.slots + 8 * batch

const keepWaiting = () => {
  const accepted: Array<Promise<unknown>> = []
  const missing = isOver ? 0 : enough - (submitted - executions)
  for (let left = missing; left > 0; left -= batch) {
    const tasks = Array.from({ length: batch }, () => ({ id: token(), name: "add", size: args.length }))
    submitted += batch
    accepted.push(submit({ op: "submit", tasks }, args.repeat(batch)))
  }
  return Promise.all(accepted)
}

/** Reports what it got as done, and takes more. */
const serve = async (name: string) => {
  const ask = await dial(plan.workerAddress)
  const session = token()
  await ask({ op: "register", session, worker: name, slots: plan.slots, tasks: [{ name: "add" }] })
  const exchange = async () => {
    let held: ReadonlyArray<Lease> = []
    for (let seq = 1;; seq++) {
      const reports = held.map(({ attempt, id }) => ({ id, attempt, state: "succeeded", size: 1 }))
      const { leases } = await ask<{ leases: ReadonlyArray<Lease> }>(
        { op: "exchange", session, seq, free: plan.slots, reports },
        "2".repeat(reports.length)
      )
      for (const { id } of leases) begun.add(id)
      executions += leases.length
      if (leases.length > 0) exchanges++
      held = leases
      void keepWaiting()
    }
  }
  return exchange
}

const workers = []
for (let i = 0; i < plan.workers; i++) workers.push(await serve(`simulated-${i}`))

await keepWaiting()
for (const serve of workers) void serve()
await wait(plan.warmUpMillis)
const before = { micros: cpuMicros([plan.pid]), executions, exchanges, at: performance.now() }
await wait(plan.millis)
const done = executions - before.executions
const report = {
  planeMicros: (cpuMicros([plan.pid]) - before.micros) / done,
  rate: done * 1_000 / (performance.now() - before.at),
  perExchange: done / (exchanges - before.exchanges)
}
isOver = true
const deadline = performance.now() + drainMillis
let succeeded = 0
while (succeeded < submitted && performance.now() < deadline) {
  await wait(50)
  succeeded = (await submit<{ stats: { succeeded: number } }>({ op: "stats" })).stats.succeeded
}
const wrong = executions - begun.size + Math.abs(submitted - succeeded)
console.log(JSON.stringify({ ...report, submitted, executions, wrong } satisfies PeersReport))
process.exit(0)
