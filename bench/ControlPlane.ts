/**
 * CPU time of the control plane for each task, without sockets; see `planeCost.ts`.
 *
 *     node bench/ControlPlane.ts [--batch 64] [--seconds 4] [--waiting 0] [--json]
 */
import { parseArgs } from "node:util"
import { measurePlaneCost } from "./planeCost.ts"

const { values } = parseArgs({
  options: {
    batch: { type: "string", default: "64" },
    seconds: { type: "string", default: "4" },
    waiting: { type: "string", default: "0" },
    json: { type: "boolean", default: false }
  }
})
const [batch, seconds, waiting] = [values.batch, values.seconds, values.waiting].map(Number) as [number, number, number]
const { best, plane, yardstick } = await measurePlaneCost({ batch, seconds, waiting })
console.log(
  values.json
    ? JSON.stringify({ batch, plane, best, yardstick })
    : `batch ${batch}: ${plane.toFixed(2)} µs a task (best ${best.toFixed(2)}), ` +
      `${(plane / yardstick).toFixed(2)} times parsing and printing its headers (${yardstick.toFixed(2)} µs)`
)
