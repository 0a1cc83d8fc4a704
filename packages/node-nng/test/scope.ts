import type { ChildProcess } from "node:child_process"
import { tempDirectory } from "./raw.ts"
import { until } from "./until.ts"

export interface Scope {
  /** Closes `socket` after the test. */
  readonly add: <A extends { readonly close: () => Promise<void> }>(socket: A) => A
  readonly addServer: (server: { readonly close: () => void }) => void
  /** Kills `child` after the test and waits for its end. */
  readonly addProcess: <A extends ChildProcess>(child: A) => A
  /** A directory of the test's own. */
  readonly directory: () => string
  /** Gathers uncaught exceptions until the test ends, in place of whoever else would. */
  readonly uncaught: () => ReadonlyArray<unknown>
  readonly close: () => Promise<void>
}

/** Keeps what a test opens and closes it again, in turn. */
export const makeScope = (): Scope => {
  let closers: Array<() => unknown> = []
  return {
    add(socket) {
      closers.push(() => socket.close())
      return socket
    },
    addServer(server) {
      closers.push(() => server.close())
    },
    addProcess(child) {
      closers.push(async () => {
        child.kill("SIGKILL")
        await until(`process ${child.pid} to end`, () => child.exitCode !== null || child.signalCode !== null)
      })
      return child
    },
    directory() {
      const [path, remove] = tempDirectory()
      closers.unshift(remove)
      return path
    },
    uncaught() {
      const errors: Array<unknown> = []
      const others = process.listeners("uncaughtException")
      process.removeAllListeners("uncaughtException")
      process.on("uncaughtException", (error) => errors.push(error))
      closers.push(() => {
        process.removeAllListeners("uncaughtException")
        for (const other of others) process.on("uncaughtException", other)
      })
      return errors
    },
    async close() {
      const todo = closers.toReversed()
      closers = []
      for (const close of todo) await close()
    }
  }
}
