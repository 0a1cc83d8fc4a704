/** Tasks at certain times, one at a time, and not too many: by promises. */
import { FastWorker } from "fastworker/promise"
import { startControlPlane } from "../processes/start.ts"
import { charge, daily, hourly, report } from "./tasks.ts"

const controlPlane = await startControlPlane(["--tasks", `${import.meta.dirname}/tasks.ts`])
const fw = await FastWorker.connect({ discovery: controlPlane.ready.discovery })
try {
  // The schedules came with the file of tasks.
  for (const { id, paused } of await fw.schedules()) console.log(`schedule ${id}${paused ? ", paused" : ""}`)
  const taskId = await fw.trigger(daily.id)
  console.log(`${daily.id} now: ${await fw.result(report, taskId)}`)

  await fw.pause({ task: report.name })
  const first = await fw.delay(report, { customer: "acme" })
  const second = await fw.delay(report, { customer: "acme" })
  console.log(`paused: ${(await first.status()).waiting}`)
  console.log(`asked for twice, one task: ${first.id === second.id}`)
  await fw.resume({ task: report.name })
  console.log(await second.result())

  const charges = await fw.delayAll(charge, [1, 2, 3].map((cents) => ({ account: "a-1", cents })), { tenant: "acme" })
  await Promise.all(charges.map((handle) => handle.result()))
  console.log(`${(await fw.list({ tenant: "acme", state: "succeeded" })).total} charges, one after the other`)

  const later = await fw.delay(report, { customer: "zeta" }, { in: "1 hour", tags: ["quarter-4"] })
  console.log(`cancelled: ${await fw.cancelAll({ tag: "quarter-4" })}, ${(await later.status()).state}`)
  await fw.unschedule(hourly.id)
} finally {
  await fw.close()
  await controlPlane.stop()
}
