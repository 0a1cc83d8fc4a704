// Packs FastWorker as npm would publish it, and tries the tarball as a stranger does: publint and attw, what is in it and
// what is not, a new project that installs it, checks its types and runs it with each Node that is there. Prints how long
// an import takes. Ends with 1 when something is wrong. `npm run package` builds before.
import { spawn, spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "..")
const bin = (name) => join(root, "node_modules/.bin", name)
const folder = mkdtempSync(join(tmpdir(), "fastworker-package-"))
const project = join(folder, "project")
const problems = []
const ok = (what) => console.log(`ok       ${what}`)
const check = (what, details) => {
  if (details.length === 0) return ok(what)
  problems.push(what)
  console.error(`problem  ${what}\n${details.map((detail) => `           ${detail}`).join("\n")}`)
}

/** Runs a program to its end, which must be a good one. */
const run = (command, args, options = {}) => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8", ...options })
  if (status === 0) return stdout
  throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? `exit code ${status}`}\n${stdout}${stderr}`)
}

/** The same as a check. */
const tried = (what, ...args) => {
  try {
    const output = run(...args)
    ok(what)
    return output
  } catch (error) {
    check(what, error.message.trimEnd().split("\n"))
    return undefined
  }
}

/** What must be there for the exports, the commands and the dashboard to work. */
const needed = [
  "LICENSE",
  "README.md",
  "CHANGELOG.md",
  "SECURITY.md",
  "dist/bin.js",
  "dist/bundle/main.js",
  "dist/bundle/licences.txt",
  "dist/index.js",
  "dist/index.d.ts",
  "dist/client.js",
  "dist/promise.js",
  "dist/testing.js",
  "dist/layers/HeartbeatThread.js",
  "dist/layers/JournalSqliteThread.js",
  "dist/layers/ExecutorThreadMain.js",
  "dist/dashboard/index.html",
  "dist/dashboard/index.html.br",
  "dist/dashboard/licences.md",
  "dist/docs/index.html.br",
  "dist/docs/index.html.gz",
  "dist/docs/tutorial.html.gz",
  "dist/docs/reference/errors.html.gz",
  "node_modules/node-nng/package.json",
  "node_modules/node-nng/LICENSE",
  "node_modules/node-nng/dist/index.js"
]

/** Everything that is packed is one of these. */
const allowed = [
  /^(?:package\.json|LICENSE|README\.md|CHANGELOG\.md|SECURITY\.md)$/u,
  /^dist\/(?:(?:cli|domain|services|layers)\/)?\w+\.(?:js|d\.ts)$/u,
  /^dist\/bundle\/(?:[\w-]+\.js|licences\.txt)$/u,
  /^dist\/dashboard\/[\w.-]+\.(?:html|js|svg|txt|md)(?:\.br|\.gz)?$/u,
  /^dist\/dashboard\/assets\/[\w.-]+\.(?:js|css|woff2|svg)(?:\.br|\.gz)?$/u,
  /^dist\/docs\/(?:(?:howto|ops|reference)\/)?[\w-]+\.(?:html|css|js|svg)\.(?:br|gz)$/u,
  /^node_modules\/node-nng\/(?:package\.json|LICENSE|README\.md|CHANGELOG\.md|dist\/\w+\.(?:js|d\.ts))$/u
]

const secrets =
  /-----BEGIN [A-Z ]*PRIVATE KEY|\bnpm_[A-Za-z0-9]{36}\b|_authToken|\bgh[pousr]_[A-Za-z0-9]{36}\b|AKIA[A-Z0-9]{16}/u

/** What a program that only submits tasks must not load: file names, and built-in modules. */
const unwantedFiles =
  /DashboardServer|DashboardApi|JournalSqlite|JournalFile|\/cli\/|@effect\/platform-node|effect\/dist\/(?:cli|http-api)\/|HttpServer/u
const unwantedBuiltins = /^(?:sqlite|node:sqlite|_http_server|http|https|http2|child_process|internal\/http2)/u

const entries = [
  ["effect alone", ["effect/Effect", "effect/Layer", "effect/Schema", "effect/Stream"]],
  ["fastworker/client", ["fastworker/client"]],
  ["fastworker", ["fastworker"]],
  ["fastworker/promise", ["fastworker/promise"]],
  ["fastworker/testing", ["fastworker/testing"]]
]

/** The least of five: what else the machine does only adds to it. */
const load = (modules) => {
  const runs = Array.from(
    { length: 5 },
    () => JSON.parse(run(process.execPath, ["loaded.mjs", ...modules], { cwd: project }))
  )
  return runs.sort((one, other) => one.millis - other.millis)[0]
}

/** The Nodes that the package is for, as far as they are here: this one, and `node22`, `node26` on the path. */
const nodes = [
  process.execPath,
  ...["node22", "node24", "node26"].flatMap((name) =>
    (process.env.PATH ?? "").split(delimiter).map((path) => join(path, name))
      .filter((path) => spawnSync(path, ["--version"]).status === 0).slice(0, 1)
  )
]

/** Uses the installed package: the command serves, a program submits. */
const use = async (node) => {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("FASTWORKER_"))
  )
  const options = { cwd: project, env: environment }
  const ports = ["--address", "--worker-address", "--discovery"].flatMap((flag) => [flag, "tcp://127.0.0.1:0"])
  const plane = spawn(
    node,
    [
      "node_modules/fastworker/dist/bin.js",
      "control-plane",
      "--json",
      ...ports,
      "--dashboard",
      "127.0.0.1:0",
      "tasks.ts"
    ],
    { ...options, stdio: ["ignore", "pipe", "inherit"] }
  )
  try {
    const [line] = await new Promise((resolve, reject) => {
      let text = ""
      plane.stdout.setEncoding("utf8").on("data", (chunk) => {
        text += chunk
        if (text.includes("\n")) resolve(text.split("\n"))
      })
      plane.once("close", (code) => reject(new Error(`the control plane ended with ${code} before it was ready`)))
    })
    const { address, dashboard } = JSON.parse(line)
    const page = await fetch(dashboard)
    if (!(await page.text()).includes("<script")) throw new Error(`the dashboard is not served: ${page.status}`)
    // Beside the control plane, which this process must not keep waiting.
    const program = spawn(node, ["main.ts", address], { ...options, stdio: "inherit" })
    const code = await new Promise((resolve) => program.once("close", resolve))
    if (code !== 0) throw new Error(`the program ended with ${code}`)
  } finally {
    const closed = new Promise((resolve) => plane.exitCode === null ? plane.once("close", resolve) : resolve())
    plane.kill("SIGTERM")
    await closed
  }
}

try {
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder]))
  const tarball = join(folder, packed.filename)
  const paths = packed.files.map(({ path }) => path)
  console.log(`${packed.filename}: ${paths.length} files, ${Math.round(packed.size / 1024)} KiB packed`)

  check("what is needed is in it", needed.filter((path) => !paths.includes(path)))
  check("nothing else is in it", paths.filter((path) => !allowed.some((pattern) => pattern.test(path))))

  tried("publint", bin("publint"), ["run", tarball, "--strict"])
  tried("are the types wrong", bin("attw"), [tarball, "--profile", "esm-only", "--no-color"])

  cpSync(join(root, "scripts/consumer"), project, { recursive: true })
  cpSync(join(root, "scripts/loaded.mjs"), join(project, "loaded.mjs"))
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }))
  // Scripts are not run: nothing of what a program needs is made when it is installed.
  const install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", tarball]
  if (tried("a new project installs it", "npm", install, { cwd: project }) !== undefined) {
    const manifest = JSON.parse(readFileSync(join(project, "node_modules/fastworker/package.json"), "utf8"))
    const listing = run("npm", ["ls", "--all", "--json"], { cwd: project })
    check("its dependencies are whole", JSON.parse(listing).problems ?? [])
    check(
      "nothing in it is a secret",
      paths.filter((path) =>
        /\.(?:js|ts|json|md|html|txt)$/u.test(path) &&
        secrets.test(readFileSync(join(project, "node_modules/fastworker", path), "utf8"))
      )
    )

    const used = new Set()
    for (const path of paths.filter((path) => /^dist\/(?!dashboard).*\.(?:js|d\.ts)$/u.test(path))) {
      const text = readFileSync(join(project, "node_modules/fastworker", path), "utf8")
      for (const [, name] of text.matchAll(/^(?:import|export)\b[^"']*from ["']((?:@[\w-]+\/)?[\w-]+)/gmu)) {
        used.add(name)
      }
    }
    const declared = Object.keys(manifest.dependencies)
    const unlisted = [...used].filter((name) => name !== "node" && !declared.includes(name)).map((name) =>
      `not declared: ${name}`
    )
    check("it declares what it imports, and no more", [
      ...unlisted,
      ...declared.filter((name) => !used.has(name)).map((name) => `declared, not imported: ${name}`)
    ])

    // The types of the dependencies too: Effect's ask for those of the browser's cryptography.
    const types = ["-p", project, "--typeRoots", join(root, "node_modules/@types")]
    tried("its types hold in a strict project", bin("tsc"), types)

    for (const node of nodes) {
      const version = run(node, ["--version"]).trim()
      await use(node).then(
        () => ok(`used with Node ${version}`),
        (error) => check(`used with Node ${version}`, [error.message])
      )
    }

    for (const [name, modules] of entries) {
      const { builtins, cpuMillis, files, millis } = load(modules)
      console.log(
        `import   ${name}: ${Math.round(millis)} ms, ${files.length} modules, ${
          Math.round(cpuMillis)
        } ms of CPU with Node's own`
      )
      check(`${name} loads nothing that a client does not need`, [
        ...files.filter((file) => unwantedFiles.test(file)),
        ...builtins.filter((builtin) => unwantedBuiltins.test(builtin))
      ])
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
console.log(problems.length === 0 ? "The package is good" : `${problems.length} problems: ${problems.join("; ")}`)
process.exitCode = problems.length === 0 ? 0 : 1
