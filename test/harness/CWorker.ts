/** The worker in C of the fixtures, built with the compiler and the library of the system. */
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { run } from "./Processes.ts"

/** Why it can't be built, or null. */
export const compilerMissing: string | null = (() => {
  const { error, status } = spawnSync("cc", ["-E", "-x", "c", "-"], { input: "#include <nng/nng.h>\n" })
  if (error !== undefined) return "there is no C compiler"
  return status === 0 ? null : "the headers of NNG are not installed (Debian: libnng-dev)"
})()

const source = fileURLToPath(new URL("../fixtures/c/worker.c", import.meta.url))

/** Builds it in a directory of its own, removed with the scope. Succeeds with the path of the program. */
export const buildWorker = Effect.gen(function*() {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "fastworker-c-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const program = join(directory, "worker")
  yield* run("cc", ["-Wall", "-Wextra", "-Werror", "-O1", source, "-lnng", "-lpthread", "-o", program])
  return program
})
