/** What the benchmark runs on. */
import { cpus, loadavg, release, totalmem, type } from "node:os"

export const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  system: `${type()} ${release()}`,
  node: process.versions.node,
  /** Of the last minute, before anything was measured: others who use the machine make all numbers worse. */
  load: Number(loadavg()[0]?.toFixed(2))
}
