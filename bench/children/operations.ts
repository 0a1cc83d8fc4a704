/**
 * The client of a control plane in which so many tasks wait: what it costs that control plane to offer some more, to give
 * some another priority, to cancel some and to take some, which a worker then runs. CPU of its process, in microseconds each.
 */
import { Effect } from "effect"
import { connect } from "fastworker"
import { median } from "../measure.ts"
import { exactCpuMicros } from "../processes.ts"
import { add } from "../systems/fastworker/tasks.ts"

export interface OperationsReport {
  readonly offer: number
  readonly prioritize: number
  readonly cancel: number
  readonly take: number
  readonly submitted: number
}

const [, , discovery = "", pid = "0", waiting = "0", rounds = "1"] = process.argv
const batch = 10_000
const inMessage = 1_000
const warmUpRounds = 3
/** Single operations on their way at a time. */
const concurrency = 256

const client = await Effect.runPromise(connect({ discovery }))
const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise<A, E>(effect)

let submitted = 0
/** Those that wait and have their first priority, oldest first, without those that are next to be run. */
const ids: Array<string> = []

const submitAll = async (count: number) => {
  for (let from = 0; from < count; from += inMessage) {
    const handles = await run(client.delayAll(add, Array.from({ length: inMessage }, () => ({ x: ++submitted, y: 1 }))))
    for (const { id } of handles) ids.push(id)
  }
}

const pick = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, () => {
    const at = Math.floor(Math.random() * ids.length)
    const id = ids[at]
    const last = ids.pop()
    if (id === undefined || last === undefined) throw new Error("nothing waits")
    if (at < ids.length) ids[at] = last
    return id
  })

const timed = async (count: number, what: () => Promise<unknown>): Promise<number> => {
  const from = exactCpuMicros(Number(pid))
  await what()
  return (exactCpuMicros(Number(pid)) - from) / count
}

const each = (ids: ReadonlyArray<string>, change: (id: string) => Effect.Effect<unknown, unknown>) =>
  run(Effect.forEach(ids, change, { concurrency, discard: true }))

/** Lets the worker run tasks until so many more have succeeded. Succeeds with how many these are. */
const takeSome = async (count: number): Promise<number> => {
  const { succeeded: before } = await run(client.stats)
  await run(client.resume())
  while ((await run(client.stats)).succeeded < before + count) await new Promise((resolve) => setTimeout(resolve, 5))
  await run(client.pause())
  while (true) {
    const { running, succeeded } = await run(client.stats)
    if (running === 0) return succeeded - before
  }
}

await run(client.pause())
// The oldest are the ones that are run; of the others some are chosen at random.
const toRun = Number(waiting) === 0 ? 0 : 4 * (Number(rounds) + warmUpRounds) * batch
await submitAll(Math.min(Number(waiting), toRun))
ids.length = 0
await submitAll(Math.max(0, Number(waiting) - toRun))

const took = {
  offer: [] as Array<number>,
  prioritize: [] as Array<number>,
  cancel: [] as Array<number>,
  take: [] as Array<number>
}
for (let round = -warmUpRounds; round < Number(rounds); round++) {
  const offer = await timed(2 * batch, () => submitAll(2 * batch))
  const changed = pick(batch)
  const prioritize = await timed(batch, () => each(changed, (id) => client.prioritize(id, "low")))
  const cancelled = [...changed.slice(batch / 2), ...pick(batch / 2)]
  const cancel = await timed(batch, () => each(cancelled, client.cancel))
  const from = exactCpuMicros(Number(pid))
  const taken = await takeSome(batch)
  const take = (exactCpuMicros(Number(pid)) - from) / taken
  if (Number(waiting) === 0) ids.length = 0
  if (round < 0) continue
  took.offer.push(offer)
  took.prioritize.push(prioritize)
  took.cancel.push(cancel)
  took.take.push(take)
}
const { cancelled, succeeded, waiting: left } = await run(client.stats)
if (succeeded + cancelled + left !== submitted) {
  throw new Error(`${submitted - succeeded - cancelled - left} tasks are lost`)
}
if (left < Number(waiting) / 2) throw new Error(`only ${left} tasks wait`)
console.log(JSON.stringify({
  offer: median(took.offer),
  prioritize: median(took.prioritize),
  cancel: median(took.cancel),
  take: median(took.take),
  submitted: succeeded
}))
await run(client.close)
