/** Files of tasks with whatever people may write into them: they load, or it is said in a sentence what is wrong. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { TaskFileError } from "../../src/domain/Errors.ts"
import { makeFromFiles } from "../../src/layers/TaskRegistryModules.ts"
import type { Random, Target } from "./Fuzz.ts"
import { open } from "./live.ts"
import { pick, upTo } from "./mutate.ts"

const index = pathToFileURL(join(import.meta.dirname, "../../src/index.ts")).href

const imports = [
  `import { Task } from "${index}"`,
  `import * as Effect from "${import.meta.resolve("effect/Effect")}"`,
  `import * as Layer from "${import.meta.resolve("effect/Layer")}"`,
  `import { nothing } from "./none.ts"`,
  `import "no-such-package"`,
  `import data from "./data.json" with { type: "json" }`,
  `import * as self from "./SELF"`
]

const lines = [
  `const ok = Task.define("ok", { run: () => Effect.void })`,
  `export const a = Task.define("a", { run: () => Effect.void })`,
  `export const again = Task.define("a", { run: () => Effect.void })`,
  `export const contract = Task.make("contract")`,
  `export const odd = Task.define("", { run: () => Effect.void })`,
  `export const timed = Task.define("timed", { timeout: -1, run: () => Effect.void })`,
  `export const noRun = Task.define("noRun", {})`,
  `export const every = Task.every(Task.make("b"), "1 hour")`,
  `export const same = Task.every(Task.make("b"), "1 hour")`,
  `export const never = Task.cron(Task.make("b"), "0 0 30 2 *")`,
  `export const middle = Task.middleware((run) => run)`,
  `export const failing = Layer.effectDiscard(Effect.fail("no"))`,
  `export const dying = Layer.effectDiscard(Effect.die(null))`,
  `export const missing = Task.make("m").toLayer(Effect.map(Effect.service({ key: "x" }), () => () => Effect.void))`,
  `export default [1, null, undefined, [[]], () => {}]`,
  `export default new Proxy({}, { has() { throw new Error("has") }, get() { throw new Error("get") } })`,
  `export default Object.defineProperty({}, "~fastworker/TaskDefinition", { get() { throw new Error("getter") }, enumerable: true })`,
  `export default { "~fastworker/TaskDefinition": true, get layer() { throw new Error("layer") }, name: 5 }`,
  `export default { "~fastworker/TaskDefinition": true, layer: 5, name: Symbol("s") }`,
  `export default { "~fastworker/TaskDefinition": true, get name() { throw new Error("name") } }`,
  `export default { "~fastworker/Schedule": true }`,
  `export default { "~fastworker/Schedule": true, get id() { throw 5 } }`,
  `export default { "~effect/Layer": "~effect/Layer", build: 5 }`,
  `const cyclic = {}; Object.defineProperty(cyclic, "self", { get: () => cyclic }); export { cyclic }`,
  `export let later = later2; const later2 = 1`,
  `export { undefinedName }`,
  `export enum Colour { Red }`,
  `throw new Error("at once")`,
  `throw undefined`,
  `throw { toString() { throw new Error("no words") } }`,
  `throw Object.create(null)`,
  `await Promise.reject(Object.assign(new Error("x"), { code: Symbol("c") }))`,
  `await new Promise(() => {})`,
  `await new Promise((resolve) => setTimeout(resolve, 5))`,
  `export const then = (resolve) => resolve(5)`,
  `export const then = () => { throw new Error("then") }`,
  `function (`,
  `\\u0000`,
  `/* ${"x".repeat(1_000)} */`
]

const generate = (random: Random): ReadonlyArray<string> => {
  const chosen = new Set(imports.slice(0, 3))
  if (random() < 0.15) chosen.add(pick(random, imports))
  for (let count = upTo(random, 4); count >= 0; count--) {
    const line = pick(random, lines)
    // There is one default, and any number of names.
    chosen.add(random() < 0.5 ? line.replace("export default", `export const v${chosen.size} =`) : line)
  }
  return [...chosen]
}

/** Long enough for everything but what never ends. */
const loadingMillis = 150

export const target: Target<ReadonlyArray<string>> = {
  name: "tasks",
  async start() {
    const folder = mkdtempSync(join(tmpdir(), "fastworker-fuzz-"))
    const { close, run } = await open(Effect.void)
    let made = 0
    return {
      async attempt(source) {
        const name = `tasks${made++}.ts`
        const file = join(folder, name)
        writeFileSync(file, source.join("\n").replaceAll("SELF", name))
        const loading = Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(Effect.exit(Effect.scoped(makeFromFiles([file]))))
          yield* TestClock.withLive(Effect.raceFirst(Fiber.await(fiber), Effect.sleep(loadingMillis)))
          yield* TestClock.adjust("1 hour")
          return yield* Fiber.join(fiber)
        })
        const exit = await run(Effect.scoped(loading.pipe(Effect.provide(Layer.fresh(TestClock.layer())))))
        if (Exit.isFailure(exit)) return `the loading of it failed: ${String(exit.cause)}`
        if (Exit.isSuccess(exit.value)) return undefined
        const [reason] = exit.value.cause.reasons
        if (reason?._tag !== "Fail") return `not an error with a sentence: ${String(exit.value.cause)}`
        return reason.error instanceof TaskFileError && reason.error.message.length < 10_000
          ? undefined
          : `not an error with a sentence: ${String(reason.error)}`
      },
      async stop() {
        await close()
        rmSync(folder, { recursive: true, force: true })
      }
    }
  },
  generate,
  *simpler(source) {
    for (let at = 0; at < source.length; at++) yield source.toSpliced(at, 1)
  },
  print: (source) => source.join("\n")
}
