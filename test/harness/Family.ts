/** The processes that a program started, and whether they are gone. */
import { existsSync, readdirSync, readFileSync } from "node:fs"

const variable = "FASTWORKER_TEST_FAMILY"

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    // Gone meanwhile, or somebody else's.
    return ""
  }
}

export interface Family {
  /** For the environment of the first of them; the others inherit it. */
  readonly env: Readonly<Record<string, string>>
  /** The command lines of those that run. None are found on systems without /proc. */
  readonly members: () => ReadonlyArray<string>
}

/** A mark by which a process and its descendants are known. */
export const family = (name: string): Family => ({
  env: { [variable]: `${name}-${process.pid}` },
  members: () =>
    existsSync("/proc/self/environ")
      ? readdirSync("/proc").filter((pid) =>
        /^\d+$/u.test(pid) && read(`/proc/${pid}/environ`).split("\0").includes(`${variable}=${name}-${process.pid}`)
      ).map((pid) => read(`/proc/${pid}/cmdline`).replaceAll("\0", " ")).filter((command) => command !== "")
      : []
})

/** Whether a process runs. One that has ended and that nobody waits for does not. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  return !/^\d+ \(.*\) Z/su.test(read(`/proc/${pid}/stat`))
}
