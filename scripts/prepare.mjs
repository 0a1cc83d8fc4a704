// Runs after `npm install` in a clone: lets the compiler know Effect's diagnostics and builds once. When the development
// tools are absent (a production install, a dependency of someone else's project) there is nothing to do.
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"

const bin = (name) => `node_modules/.bin/${name}`
if (!existsSync(bin("effect-tsgo")) || !existsSync(bin("tsc"))) process.exit(0)
execFileSync(bin("effect-tsgo"), ["patch"], { stdio: ["ignore", "ignore", "inherit"] })
execFileSync(bin("tsc"), ["-b"], { stdio: "inherit" })
execFileSync("node", ["scripts/assets.mjs"], { stdio: "inherit" })
