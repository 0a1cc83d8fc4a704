// Imports the modules that it is given and prints what came with them, as JSON: files, built-in modules, and the time.
import { registerHooks } from "node:module"

const files = []
registerHooks({
  load: (url, context, next) => {
    files.push(url)
    return next(url, context)
  }
})
const before = new Set(process.moduleLoadList)
const start = performance.now()
for (const name of process.argv.slice(2)) await import(name)
const millis = performance.now() - start
const builtins = process.moduleLoadList.filter((name) => !before.has(name)).map((name) => name.replace(/^\w+ /u, ""))
console.log(JSON.stringify({ files, builtins, millis, cpuMillis: process.cpuUsage().user / 1_000 }))
