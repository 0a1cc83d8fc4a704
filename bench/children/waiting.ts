/** What offer, take, cancel and another priority cost the core while so many other tasks wait, in CPU time of its thread. */
import { makeBareCore, offer, randomId, register, reportAll, submit } from "../core.ts"
import { cpuMicros } from "../headless.ts"
import { median } from "../measure.ts"

const [waiting = 0, rounds = 0] = process.argv.slice(2).map(Number)
const batch = 1_000
const warmUpRounds = 30

const core = makeBareCore({ maxWaiting: waiting + 2 * batch })
const worker = register(core, "w", batch, 0)
core.setOpen(worker, false)

/** Those that may wait, in no order; some were taken since. */
const ids: Array<string> = []

const timed = (run: () => void): number => {
  const from = cpuMicros()
  run()
  return (cpuMicros() - from) / batch
}

const submitBatch = (): number => {
  const made = Array.from({ length: batch }, randomId)
  for (const id of made) ids.push(id)
  return timed(() => {
    for (const id of made) submit(core, id, 1)
  })
}

/** One that waits, from anywhere in the queue. */
const pickWaiting = (): string => {
  while (true) {
    const at = Math.floor(Math.random() * ids.length)
    const id = ids[at]
    const last = ids.pop()
    if (id === undefined || last === undefined) throw new Error("nothing waits")
    if (at < ids.length) ids[at] = last
    if (core.task(id)?.state === "queued") return id
  }
}

const prioritizeBatch = (): number => {
  const chosen = Array.from({ length: batch }, pickWaiting)
  for (const id of chosen) ids.push(id)
  return timed(() => {
    for (const id of chosen) core.prioritize(id, core.task(id)?.level === 2 ? 3 : 2)
  })
}

const cancelBatch = (): number => {
  const chosen = Array.from({ length: batch }, pickWaiting)
  return timed(() => {
    for (const id of chosen) core.cancel(id, 1)
  })
}

const takeBatch = (): number => {
  offer(core, worker, 1)
  const took = timed(() => core.dispatch(1))
  core.setOpen(worker, false)
  return took
}

while (ids.length < waiting) submitBatch()

const took = {
  offer: [] as Array<number>,
  take: [] as Array<number>,
  cancel: [] as Array<number>,
  prioritize: [] as Array<number>
}
let done = 0
for (let round = -warmUpRounds; round < rounds; round++) {
  const first = submitBatch()
  const prioritized = prioritizeBatch()
  const cancelled = cancelBatch()
  const second = submitBatch()
  const taken = takeBatch()
  done += reportAll(core, worker, 1)
  if (round < 0) continue
  took.offer.push(first, second)
  took.cancel.push(cancelled)
  took.prioritize.push(prioritized)
  took.take.push(taken)
}
if (core.waiting() !== waiting) throw new Error(`${core.waiting()} tasks wait, not ${waiting}`)

const mean = (numbers: ReadonlyArray<number>) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length
console.log(JSON.stringify({
  offer: median(took.offer),
  take: median(took.take),
  cancel: median(took.cancel),
  prioritize: median(took.prioritize),
  // With what the garbage collector took of this thread meanwhile.
  all: mean(took.offer) + mean(took.take) + mean(took.cancel) + mean(took.prioritize),
  submitted: (rounds + warmUpRounds) * batch,
  executions: done
}))
