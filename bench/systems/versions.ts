/** Versions of what is measured. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"

const require = createRequire(import.meta.url)

/** The version of an installed package, or `undefined`. */
export const packageVersion = (name: string): string | undefined => {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return (JSON.parse(readFileSync(`${folder}/${name}/package.json`, "utf8")) as { version: string }).version
    } catch {
      // Not in this folder.
    }
  }
  return undefined
}

/** The version that a program says it has, or `undefined` when it can't be run. */
export const programVersion = (program: string): string | undefined => {
  const { error, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" })
  return error === undefined ? /\d+(\.\d+)+/u.exec(stdout)?.[0] ?? "unknown" : undefined
}
