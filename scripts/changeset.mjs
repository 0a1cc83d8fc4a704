// Runs changesets on the package of this folder. Where there are workspaces it only sees those, and not the package that
// they stand in: so package.json has none while it runs.
import { spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"

const line = /^ {2}"workspaces": .*\n/mu
const before = readFileSync("package.json", "utf8")
const [workspaces] = line.exec(before) ?? []
if (workspaces === undefined) throw new Error("package.json has no line of workspaces")
// Ctrl-C ends changesets, and this goes on to its end.
process.on("SIGINT", () => {})
writeFileSync("package.json", before.replace(line, ""))
try {
  const { status } = spawnSync("node_modules/.bin/changeset", process.argv.slice(2), { stdio: "inherit" })
  process.exitCode = status ?? 1
} finally {
  writeFileSync(
    "package.json",
    readFileSync("package.json", "utf8").replace(/^ {2}"scripts"/mu, `${workspaces}  "scripts"`)
  )
}
