// Builds what the compiler does not: the dashboard, beside the compiled code, where the server reads it, with its files
// compressed once and for all. Without the development tools there is nothing to do; what was built is left as it is.
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"

chmodSync("dist/bin.js", 0o755)

const out = "dist/dashboard"
const index = join(out, "index.html")
const files = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
const newest = (...paths) => Math.max(...paths.map((path) => statSync(path).mtimeMs))

const isBuilt = existsSync(index) &&
  statSync(index).mtimeMs > newest("package-lock.json", "scripts/assets.mjs", ...files("src/dashboard"))
if (isBuilt || !existsSync("node_modules/vite") || !existsSync("node_modules/vite-plugin-solid")) process.exit(0)

const { build } = await import("vite")
await build({ configFile: "src/dashboard/vite.config.ts", logLevel: "warn" })
cpSync("node_modules/@fontsource-variable/geist/LICENSE", join(out, "licence-geist.txt"))

for (const file of files(out)) {
  if (/\.(?:woff2|br|gz)$/u.test(file)) continue
  const bytes = readFileSync(file)
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
  writeFileSync(
    `${file}.br`,
    brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
    })
  )
}
