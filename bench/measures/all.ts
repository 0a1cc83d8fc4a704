/** All measures, in the order in which they are shown. */
import type { Measure } from "../measure.ts"
import { bulk } from "./bulk.ts"
import { fleet } from "./fleet.ts"
import { idle } from "./idle.ts"
import { journal } from "./journal.ts"
import { latency } from "./latency.ts"
import { memory } from "./memory.ts"
import { openLoop } from "./openLoop.ts"
import type { Options } from "./options.ts"
import { payload } from "./payload.ts"
import { planeCpu } from "./planeCpu.ts"
import { startUp } from "./startUp.ts"
import { throughput } from "./throughput.ts"
import { waiting, waitingCore } from "./waiting.ts"
import { workers } from "./workers.ts"

const all = [
  throughput,
  bulk,
  latency,
  openLoop,
  planeCpu,
  memory,
  waiting,
  waitingCore,
  workers,
  journal,
  payload,
  startUp,
  idle,
  fleet
]

export const measures = (options: Options): ReadonlyArray<Measure> => all.map((make) => make(options))
