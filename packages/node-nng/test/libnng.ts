/** The C library as a peer: peer/peer.c compiled once for each run, and driven by lines. */
import type { ChildProcessWithoutNullStreams } from "node:child_process"
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const directory = mkdtempSync(join(tmpdir(), "nn-peer-"))
const program = join(directory, "peer")

/** Why there is no peer of the C library, or null. */
export const libnngMissing: string | null = (() => {
  const source = fileURLToPath(new URL("peer/peer.c", import.meta.url))
  const { error, status, stderr } = spawnSync("gcc", ["-O1", source, "-o", program, "-lnng"], { encoding: "utf8" })
  if (error !== undefined) return "gcc is not installed"
  return status === 0 ? null : `libnng is not installed (Debian: libnng-dev): ${stderr.split("\n")[0]}`
})()

/** Removes what was compiled. */
export const removePeerProgram = (): void => rmSync(directory, { recursive: true, force: true })

export interface LibnngPeer {
  readonly child: ChildProcessWithoutNullStreams
  /** Does one command and resolves with what follows "ok" or "got"; rejects with nng's words for a failure. */
  readonly run: (command: string) => Promise<string>
  /** Sends a text. */
  readonly send: (text: string, socket?: 0 | 1) => Promise<void>
  /** Receives a text. */
  readonly receive: (socket?: 0 | 1) => Promise<string>
}

const hex = (text: string): string => text === "" ? "-" : Buffer.from(text).toString("hex")

/** Starts a peer with one socket, or two raw ones; the caller ends `child`. */
export const startPeer = (...protocols: ReadonlyArray<string>): LibnngPeer => {
  const child = spawn(program, protocols)
  const waiting: Array<(line: string) => void> = []
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(line))
  child.once("close", () => {
    for (const done of waiting) done("error the peer ended")
  })
  const run = (command: string): Promise<string> =>
    new Promise((resolve, reject) => {
      waiting.push((line) => {
        const [, kind, rest = ""] = /^(\S+) ?(.*)$/.exec(line) ?? []
        if (kind === "ok" || kind === "got") resolve(rest)
        else reject(new Error(`${command.slice(0, 60)}: ${rest}`))
      })
      child.stdin.write(`${command}\n`)
    })
  return {
    child,
    run,
    send: async (text, socket = 0) => void await run(`send ${socket} ${hex(text)}`),
    receive: async (socket = 0) => {
      const got = await run(`recv ${socket}`)
      return got === "-" ? "" : Buffer.from(got, "hex").toString("utf8")
    }
  }
}
