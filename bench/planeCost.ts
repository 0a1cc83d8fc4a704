/**
 * What a task costs the control plane without sockets. CPU time, beside a yardstick: the time that the same process takes
 * to parse and print lists of as many tasks, twice. Their ratio is what a busy machine leaves nearly alone, and the memory
 * that is allocated is the same on every machine: these two are what CI guards.
 */
import { getHeapStatistics } from "node:v8"
import type { Headless } from "./headless.ts"
import { cpuMicros, message, runHeadless, submitWaiting, token, turn } from "./headless.ts"

/**
 * Batches that are measured together: few, so that a sample is short and both kinds meet the same moments of the machine.
 * Measured on a busy one, the ratio of ten runs varies by 13 % with 16 and the best deciles, by 2 % with 4 and the medians.
 */
const rounds = 4

export interface PlaneCost {
  /** µs a task: the best decile of the samples, and the best of all. */
  readonly plane: number
  readonly best: number
  /** µs a task of parsing and printing it twice: the best decile. */
  readonly yardstick: number
  /** Of the medians. */
  readonly ratio: number
  /** Bytes on the heap that are allocated for a task: the median. */
  readonly allocated: number
}

/** Messages of so many batches as client and worker send them, made before anything is measured. */
const life = (client: string, worker: string, seq: number, batch: number) => {
  const batches = Array.from({ length: rounds }, () => Array.from({ length: batch }, token))
  const args = Array.from({ length: batch }, (_, i) => `{"x":${i},"y":1}`)
  const results = args.map((_, i) => `${i + 1}`)
  const sizesOf = (bodies: ReadonlyArray<string>) => bodies.map(({ length }) => length)
  const submitted = { name: "add", watch: true, sizes: sizesOf(args) }
  const reported = { attempt: 1, state: "succeeded", sizes: sizesOf(results) }
  return batches.map((ids, round) => ({
    submit: message({ v: 1, op: "submit", session: client, groups: [{ ...submitted, ids }] }, args.join("")),
    collect: message({ v: 1, op: "collect", session: client, ack: (seq + round) * batch, wait: 10_000, grouped: true }),
    exchange: message({
      v: 1,
      op: "exchange",
      session: worker,
      seq: seq + round + 2,
      settled: seq + round + 1,
      free: 4 * batch,
      grouped: true,
      groups: [{ ...reported, ids }]
    }, results.join(""))
  }))
}

/** The tasks of so many batches as a list of them has them, made before anything is measured. */
const lists = (batch: number) =>
  Array.from({ length: rounds }, () =>
    JSON.stringify(
      Array.from({ length: batch }, () => ({ id: token(), name: "add", size: 17, watch: true }))
    ))

/** As many as the control plane remembers outcomes. */
const maxRemembered = 10_000

/** The sample below which this share of them is. */
const quantile = (samples: ReadonlyArray<number>, share: number) =>
  [...samples].sort((a, b) => a - b)[Math.floor(samples.length * share)] ?? NaN

/** A collection in a sample makes its difference too small, which the median leaves out: most samples have none. */
const heapBytes = () => getHeapStatistics().used_heap_size

/** Takes one sample after the other, each of one life's worth of messages. */
const makePlaneSample = async (plane: Headless, batch: number) => {
  const client = token()
  const worker = token()
  const tasks = [{ name: "add" }]
  plane.toWorkers(message({ v: 1, op: "register", session: worker, worker: "w", slots: 4 * batch, tasks }))
  plane.toWorkers(message({ v: 1, op: "exchange", session: worker, seq: 1, free: 4 * batch }))
  await turn()
  let seq = 0
  return async () => {
    const messages = life(client, worker, seq, batch)
    seq += rounds
    const heapBefore = heapBytes()
    const before = cpuMicros()
    for (const { collect, exchange, submit } of messages) {
      plane.toClients(collect)
      plane.toClients(submit)
      await turn()
      plane.toWorkers(exchange)
      await turn()
    }
    const micros = cpuMicros() - before
    return { micros: micros / (rounds * batch), bytes: (heapBytes() - heapBefore) / (rounds * batch) }
  }
}

/**
 * Parses and prints lists of tasks that it has not seen before, twice each, and remembers their ids for a while: what is
 * slow for want of cache is so in both.
 */
const makeYardstickSample = (batch: number) => {
  const remembered = new Map<string, number>()
  const ids: Array<string> = []
  let bytes = 0
  const look = (list: string) => {
    const tasks = JSON.parse(list) as ReadonlyArray<{ readonly id: string }>
    for (const { id } of tasks) {
      remembered.set(id, bytes)
      if (ids.push(id) > maxRemembered) remembered.delete(ids[ids.length - maxRemembered] ?? "")
    }
    bytes += JSON.stringify(tasks).length
  }
  return () => {
    const samples = lists(batch)
    const before = cpuMicros()
    for (const list of samples) {
      look(list)
      look(list)
    }
    const took = (cpuMicros() - before) / (rounds * batch)
    ids.splice(0, ids.length - maxRemembered)
    if (bytes === 0) throw new Error("nothing was measured")
    return took
  }
}

/**
 * Measures for some seconds of CPU time, with so many tasks in each message, while others wait. Samples of both are taken in
 * turn, so that what else happens on the machine meets both.
 */
export const measurePlaneCost = ({ batch, seconds, waiting }: {
  readonly batch: number
  readonly seconds: number
  readonly waiting: number
}): Promise<PlaneCost> =>
  runHeadless(async (headless) => {
    await submitWaiting(headless, waiting, "{}")
    const samplePlane = await makePlaneSample(headless, batch)
    const sampleYardstick = makeYardstickSample(batch)
    const plane: Array<number> = []
    const allocated: Array<number> = []
    const yardstick: Array<number> = []
    const until = cpuMicros() + seconds * 1e6
    while (cpuMicros() < until || plane.length < 20) {
      const { bytes, micros } = await samplePlane()
      plane.push(micros)
      allocated.push(bytes)
      yardstick.push(sampleYardstick())
    }
    // The first ones run code that is not compiled yet.
    const warm = plane.length >> 2
    const [planes, yardsticks] = [plane.slice(warm), yardstick.slice(warm)]
    return {
      plane: quantile(planes, 0.1),
      best: quantile(planes, 0),
      yardstick: quantile(yardsticks, 0.1),
      ratio: quantile(planes, 0.5) / quantile(yardsticks, 0.5),
      allocated: quantile(allocated.slice(warm), 0.5)
    }
  })
