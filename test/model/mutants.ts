/**
 * Whether the simulation finds faults: `npm run mutate` makes each of those in `Faults.ts` in a copy of the sources, runs
 * the simulation against it and prints which were found; what survives asks for a better check. `npm run mutate -- WORD`
 * runs those that have the word in their description.
 */
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Mutant } from "./Faults.ts"
import { mutants } from "./Faults.ts"

const survived = "SURVIVED"

/** The longest that a mutant may hold out. */
const seconds = 45

const root = join(import.meta.dirname, "../..")
const word = process.argv[2] ?? ""
const folder = join(root, ".cache")
mkdirSync(folder, { recursive: true })
const copy = mkdtempSync(join(folder, "mutants-"))

const run = ({ file, from, to }: Mutant): string => {
  const path = join(copy, file)
  const source = readFileSync(join(root, file), "utf8")
  if (source.split(from).length !== 2) return "does not fit the source"
  writeFileSync(path, source.replace(from, () => to))
  const args = ["test/model/run.ts", "--brief", "--steps", "1200", "--seconds", String(seconds)]
  const { error, status, stderr, stdout } = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: "utf8",
    timeout: 3 * seconds * 1_000
  })
  writeFileSync(path, source)
  if (error !== undefined) return "found: it never ends"
  if (status === 0) return survived
  const line = (stdout + stderr).split("\n").find((line) => /^seed|Error: seed/u.test(line))
  if (line === undefined) return `does not run: ${stderr.slice(0, 200)}`
  return `found: ${line.replace(/^.*?seed /u, "seed ").slice(0, 90)}`
}

try {
  for (const folder of ["src", "test/model"]) cpSync(join(root, folder), join(copy, folder), { recursive: true })
  writeFileSync(join(copy, "package.json"), JSON.stringify({ type: "module", version: "0.0.0" }))
  // What fails by itself would be taken for found.
  const itself = run({ what: "nothing", file: "src/layers/Heap.ts", from: "isBefore = (", to: "isBefore = (" })
  if (itself !== survived) throw new Error(`without any fault: ${itself}`)
  let survivors = 0
  const chosen = mutants.filter(({ file, what }) => what.includes(word) || file.includes(word))
  for (const mutant of chosen) {
    const result = run(mutant)
    if (!result.startsWith("found")) survivors++
    console.log(`${mutant.file.slice(11, -3).padEnd(22)}${mutant.what.padEnd(56)}${result}`)
  }
  console.log(`\n${chosen.length - survivors} of ${chosen.length} faults were found`)
  process.exitCode = survivors === 0 ? 0 : 1
} finally {
  rmSync(copy, { recursive: true })
}
