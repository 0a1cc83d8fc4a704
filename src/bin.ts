#!/usr/bin/env node
/**
 * The entry of the `fastworker` command. What it imports is compiled once and kept by Node (in the temporary folder of the
 * system, or where `NODE_COMPILE_CACHE` says), and most commands are imported as a bundle: they start in a third of the
 * time.
 *
 * @since 0.1.0
 */
import { statSync } from "node:fs"
import { enableCompileCache } from "node:module"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

// The engine decides early, while the young generation is small, whether objects of a kind outlive it, and allocates them
// in the old generation for good if they do. Those of tasks do at first: a thousand tasks on their way are more than a
// small young generation holds. Dead ones in the old generation then keep alive what they refer to, which is all of
// their task, until it is collected as a whole. A worker at its limit spent half of its time on that.
setFlagsFromString("--no-allocation-site-pretenuring")

// Bodies of megabytes are memory outside of the heap. By itself the engine collects all of the heap whenever 64 MB of that
// have come, every tenth task of 1 MiB; with this flag it counts as memory of the heap does, with whose limits it grows. A
// control plane took 2.0 instead of 4.6 ms for such a task, and 490 MB instead of 215; with 450 MB waiting it takes as much
// as before. Node 22 does not have the flag.
if (Number.parseInt(process.versions.node, 10) >= 24) setFlagsFromString("--external-memory-accounted-in-global-limit")

/** A command that still runs after this many milliseconds is one that stays. */
const startMillis = 2_000

// Importing makes much garbage at once. A process that stays and has little to do would keep it, and the room that the
// collector took for it: an idle control plane had 146 MB in RAM, and has 114. It takes 12 ms, once.
setTimeout(() => {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as (options: { readonly type: "minor" }) => void
  collect({ type: "minor" })
}, startMillis).unref()

/** Files of tasks import `fastworker` and `effect`: the command that loads them must use the same ones, not a copy. */
const loadsTasks = process.argv[2] === "worker" ||
  process.argv.slice(2).some((argument) => /\.[cm]?[jt]s$/u.test(argument))

const modifiedAt = (file: string) => statSync(new URL(file, import.meta.url), { throwIfNoEntry: false })?.mtimeMs

/** Where it is developed, the bundle may be older than what it was made of. */
const hasBundle = () => (modifiedAt("./bundle/main.js") ?? 0) > (modifiedAt("./.tsbuildinfo") ?? 0)

enableCompileCache()
await (!loadsTasks && hasBundle() ? import(new URL("./bundle/main.js", import.meta.url).href) : import("./cli/main.ts"))
