// Bundles the `fastworker` command, with what it imports, into a few files: importing five hundred modules takes most of the
// time that a command needs to start. Commands that load files of tasks do not use it (see src/bin.ts). Without the
// development tools there is nothing to do; what was built is left as it is.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join, sep } from "node:path"

const out = "dist/bundle"
const main = join(out, "main.js")
if (!existsSync("node_modules/rolldown")) process.exit(0)

const newest = (...paths) => Math.max(...paths.map((path) => statSync(path).mtimeMs))
const compiled = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".js"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(out) && !path.startsWith("dist/dashboard"))
const inputs = [
  "package-lock.json",
  "scripts/bundle.mjs",
  "dist/.tsbuildinfo",
  ...compiled("dist"),
  ...compiled("packages/node-nng/dist")
]
if (existsSync(main) && statSync(main).mtimeMs >= newest(...inputs)) process.exit(0)

const { rolldown } = await import("rolldown")
const bundle = await rolldown({
  input: { main: "dist/cli/main.js" },
  platform: "node",
  // Optional: who has it gets WebSocket addresses.
  external: ["ws"],
  logLevel: "silent"
})
rmSync(out, { recursive: true, force: true })
const { output } = await bundle.write({
  dir: out,
  format: "esm",
  // Names stay: they are what a stack trace is read by.
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } }
})

// One letter that is not ASCII doubles the memory of a file's text, and what it takes to read it.
const escaped = (text) =>
  text.replace(
    /[^\0-\x7f]/gu,
    (letter) => letter.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")
  )
for (const { fileName } of output) {
  if (fileName.endsWith(".js")) writeFileSync(join(out, fileName), escaped(readFileSync(join(out, fileName), "utf8")))
}

// Their authors want to be named wherever their code is.
const packageOf = (id) => /^(.*node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+)/u.exec(id)?.[1]
const packages = new Set(
  output.flatMap(({ moduleIds = [] }) => moduleIds.map(packageOf)).filter((root) => root !== undefined)
)
const licence = (root) => {
  const file = readdirSync(root).find((name) => /^licen[cs]e/iu.test(name))
  const { license, name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const text = file === undefined ? `Licence: ${license}` : readFileSync(join(root, file), "utf8").trim()
  return `${name} ${version}\n\n${text}\n`
}
writeFileSync(
  join(out, "licences.txt"),
  [...packages].toSorted((a, b) => a < b ? -1 : 1).map(licence).join(`\n${"-".repeat(72)}\n\n`)
)
if (sep !== "/" && packages.size === 0) throw new Error("the bundle names no package: their paths are not understood")
