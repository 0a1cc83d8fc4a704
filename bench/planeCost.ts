/**
 * CPU time of the control plane for each task, without sockets, beside a yardstick: the time that the same process takes
 * to parse and print the same headers. Their ratio is what a busy machine leaves alone, so it is what CI guards.
 */
import type { Headless } from "./headless.ts"
import { cpuMicros, message, runHeadless, submitWaiting, token, turn } from "./headless.ts"

/** Batches that are measured together. */
const rounds = 64

export interface PlaneCost {
  /** µs a task: the best decile of the samples, and the best of all. */
  readonly plane: number
  readonly best: number
  /** µs a task of parsing and printing its headers: the best quartile. */
  readonly yardstick: number
}

/** Messages of so many batches, made before anything is measured. */
const life = (client: string, worker: string, seq: number, batch: number) => {
  const ids = Array.from({ length: rounds }, () => Array.from({ length: batch }, token))
  const sizes = Array.from({ length: batch }, (_, i) => ({ args: `{"x":${i},"y":1}`, result: `${i + 1}` }))
  const args = sizes.map((size) => size.args).join("")
  const results = sizes.map((size) => size.result).join("")
  return ids.map((batchIds, round) => ({
    submit: message({
      v: 1,
      op: "submit",
      session: client,
      tasks: batchIds.map((id, i) => ({ id, name: "add", size: sizes[i]?.args.length ?? 0, watch: true }))
    }, args),
    collect: message({ v: 1, op: "collect", session: client, ack: (seq + round) * batch, wait: 10_000 }),
    exchange: message({
      v: 1,
      op: "exchange",
      session: worker,
      seq: seq + round + 2,
      settled: seq + round + 1,
      free: 4 * batch,
      reports: batchIds.map((id, i) => ({ id, attempt: 1, state: "succeeded", size: sizes[i]?.result.length ?? 0 }))
    }, results)
  }))
}

/** The sample below which this share of them is. */
const quantile = (samples: ReadonlyArray<number>, share: number) =>
  [...samples].sort((a, b) => a - b)[Math.floor(samples.length * share)] ?? NaN

const measurePlane = async (plane: Headless, batch: number, seconds: number) => {
  const client = token()
  const worker = token()
  const tasks = [{ name: "add" }]
  plane.toWorkers(message({ v: 1, op: "register", session: worker, worker: "w", slots: 4 * batch, tasks }))
  plane.toWorkers(message({ v: 1, op: "exchange", session: worker, seq: 1, free: 4 * batch }))
  await turn()
  const samples: Array<number> = []
  let seq = 0
  const until = performance.now() + seconds * 1_000
  while (performance.now() < until || samples.length < 3) {
    const messages = life(client, worker, seq, batch)
    seq += rounds
    const before = cpuMicros()
    for (const { collect, exchange, submit } of messages) {
      plane.toClients(collect)
      plane.toClients(submit)
      await turn()
      plane.toWorkers(exchange)
      await turn()
    }
    samples.push((cpuMicros() - before) / (rounds * batch))
  }
  // The first one runs code that is not compiled yet.
  return samples.slice(1)
}

const measureYardstick = (batch: number) => {
  const example = life(token(), token(), 0, batch)[0]
  const headers = [example?.submit, example?.exchange].map((made) => made?.toString().split("\n")[0] ?? "")
  let bytes = 0
  const samples: Array<number> = []
  for (let i = 0; i < 40; i++) {
    const from = cpuMicros()
    for (let k = 0; k < 100; k++) for (const text of headers) bytes += JSON.stringify(JSON.parse(text)).length
    samples.push((cpuMicros() - from) / (100 * batch))
  }
  if (bytes === 0) throw new Error("nothing was measured")
  return samples
}

/** Measures for some seconds, with so many tasks in each message, while others wait. */
export const measurePlaneCost = ({ batch, seconds, waiting }: {
  readonly batch: number
  readonly seconds: number
  readonly waiting: number
}): Promise<PlaneCost> =>
  runHeadless(async (plane) => {
    await submitWaiting(plane, waiting, "{}")
    const samples = await measurePlane(plane, batch, seconds)
    return {
      plane: quantile(samples, 0.1),
      best: quantile(samples, 0),
      yardstick: quantile(measureYardstick(batch), 0.25)
    }
  })
