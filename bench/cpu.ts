import { readFileSync } from "node:fs"

/** Ticks of /proc/PID/stat per second; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** CPU time that a process has used, in microseconds; null where there is no /proc. */
export const cpuMicros = (pid: number): number | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The fields after the command, which may contain spaces: user and system time are the 12th and 13th of them.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return (Number(fields[11]) + Number(fields[12])) * (1_000_000 / ticksPerSecond)
  } catch {
    return null
  }
}
