/** The client of the FastWorker benchmark: a process of its own. Prints one JSON report. */
import { Effect } from "effect"
import { connect } from "fastworker"
import { cpuMicros } from "../cpu.ts"
import { drive } from "../drive.ts"
import { add } from "../task.ts"

const { discovery, inFlight, millis, planePid, warmUpMillis } = JSON.parse(process.argv[2] ?? "{}") as {
  readonly discovery: string
  readonly planePid: number
  readonly inFlight: ReadonlyArray<number>
  readonly millis: number
  readonly warmUpMillis: number
}

const client = await Effect.runPromise(connect({ discovery }))
let submitted = 0
const run = (x: number, y: number) => {
  submitted++
  return Effect.runPromise(client.run(add, { x, y }))
}

const samples: Array<object> = []
for (const count of inFlight) {
  const tasksBefore = submitted
  const cpuBefore = cpuMicros(planePid)
  const sample = await drive(run, { inFlight: count, millis, warmUpMillis })
  const cpuAfter = cpuMicros(planePid)
  const controlPlaneMicros = cpuBefore === null || cpuAfter === null
    ? null
    : (cpuAfter - cpuBefore) / (submitted - tasksBefore)
  samples.push({ inFlight: count, ...sample, controlPlaneMicros })
}
console.log(JSON.stringify({ samples, submitted }))
await Effect.runPromise(client.close)
