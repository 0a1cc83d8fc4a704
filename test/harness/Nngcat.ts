/** nngcat, the command of the C library, as a peer. */
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { run } from "./Processes.ts"

/** Why there is no nngcat, or null. */
export const nngcatMissing: string | null = (() => {
  const { error, status } = spawnSync("nngcat", ["--version"])
  return error === undefined && status === 0 ? null : "nngcat is not installed (Debian: nng-utils)"
})()

export interface Answer {
  readonly header: Readonly<Record<string, unknown>>
  readonly body: string
}

/** Sends one message as it is and succeeds with the reply taken apart. */
export const ask = (address: string, message: string): Effect.Effect<Answer, Error> =>
  Effect.map(
    run("nngcat", ["--req", "--dial", address, "--raw", "--recv-timeout", "15", "--file", "-"], { input: message }),
    (reply) => {
      const at = reply.indexOf("\n")
      return { header: JSON.parse(reply.slice(0, at)) as Answer["header"], body: reply.slice(at + 1) }
    }
  )
