/**
 * `npm run soak`: two million tasks, and the memory of control plane, worker and client on the way. Ends with 1 when one
 * of them grows more than a tenth from the middle third of the run to the last.
 *
 *     npm run soak -- [--tasks 2000000]
 */
import { parseArgs } from "node:util"
import { growthOf, roles, soak } from "./Soak.ts"

const { values } = parseArgs({ options: { tasks: { type: "string", default: "2000000" } } })
const tasks = Number(values.tasks)
const step = Math.min(100_000, Math.ceil(tasks / 9))

const mebibytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1)
console.log("after a garbage collection: MiB in use on the heap and beside it / resident / handles")
console.log(["tasks".padStart(9), "tasks/s".padStart(9), ...roles.map((role) => role.padStart(22))].join(""))
const points = await soak({
  tasks,
  step,
  onPoint: (point) =>
    console.log([
      String(point.tasks).padStart(9),
      point.perSecond.toFixed(0).padStart(9),
      ...roles.map((role) => {
        const { handles, heapBytes, residentBytes } = point[role]
        return `${mebibytes(heapBytes)} / ${mebibytes(residentBytes)} / ${handles}`.padStart(22)
      })
    ].join(""))
})
const growth = growthOf(points)
for (const line of growth) console.log(`WRONG  ${line}`)
if (growth.length === 0) console.log("nothing grows")
else process.exitCode = 1
