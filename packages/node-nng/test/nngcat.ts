/** nngcat, the command of the C library, as a peer. */
import type { ChildProcess } from "node:child_process"
import { spawn, spawnSync } from "node:child_process"

/** Why there is no nngcat, or null. */
export const nngcatMissing: string | null = (() => {
  const { error, status } = spawnSync("nngcat", ["--version"])
  return error === undefined && status === 0 ? null : "nngcat is not installed (Debian: nng-utils)"
})()

export interface Nngcat {
  readonly child: ChildProcess
  /** The messages it printed so far, given `--quoted`. */
  readonly messages: () => ReadonlyArray<string>
  readonly exited: () => boolean
}

/** Starts nngcat; the caller ends `child`. */
export const nngcat = (...args: ReadonlyArray<string>): Nngcat => {
  const child = spawn("nngcat", args, { stdio: ["ignore", "pipe", "pipe"] })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")))
  }
  const messages = () => output.split("\n").slice(0, -1).map((line) => line.replace(/^"(.*)"$/, "$1"))
  return { child, messages, exited: () => child.exitCode !== null || child.signalCode !== null }
}
