// Builds what the compiler does not: the dashboard and the documentation, beside the compiled code, where the server reads
// them, with their files compressed once and for all. Without the development tools there is nothing to do; what was built is
// left as it is while nothing has changed that it is made of.
import { chmodSync, cpSync, existsSync, statSync } from "node:fs"
import { join } from "node:path"
import { compress, filesOf } from "./compress.mjs"

chmodSync("dist/bin.js", 0o755)

const newest = (...paths) => Math.max(...paths.map((path) => statSync(path).mtimeMs))
const isBuilt = (index, ...inputs) =>
  existsSync(index) && statSync(index).mtimeMs > newest("package-lock.json", ...inputs)
const has = (...names) => names.every((name) => existsSync(join("node_modules", name)))

const out = "dist/dashboard"
if (
  has("vite", "vite-plugin-solid") &&
  !isBuilt(join(out, "index.html"), "scripts/assets.mjs", "scripts/compress.mjs", ...filesOf("src/dashboard"))
) {
  const { build } = await import("vite")
  await build({ configFile: "src/dashboard/vite.config.ts", logLevel: "warn" })
  cpSync("node_modules/@fontsource-variable/geist/LICENSE", join(out, "licence-geist.txt"))
  compress(out)
}

/** What the documentation is made of: texts, how they are rendered, and the code that pages are made from. */
const inputs = [
  "CHANGELOG.md",
  "examples/README.md",
  "scripts/docs.mjs",
  "scripts/compress.mjs",
  "src/dashboard/styles/tokens.css",
  "dist/index.d.ts",
  "dist/promise.d.ts",
  "dist/testing.d.ts",
  "dist/layers/Node.d.ts",
  "dist/layers/TaskRegistryModules.d.ts",
  "dist/layers/Testing.d.ts",
  ...["docs", "ops", "scripts/docs", "dist/cli", "dist/domain", "dist/services"].flatMap(filesOf)
]
// It uses the fonts of the dashboard.
const dashboard = join(out, "index.html")
if (has("marked", "highlight.js") && existsSync(dashboard) && !isBuilt("dist/docs/index.html", dashboard, ...inputs)) {
  await import("./docs.mjs")
}
