/**
 * Fuzzes longer than the tests do: `npm run fuzz -- [--minutes N] [--seed N] [target…]`. Without a target each of them in
 * turns. Ends with 1 at the first finding, which is printed as small as it gets; the same seed finds it again.
 */
import { parseArgs } from "node:util"
import { fuzz } from "./Fuzz.ts"
import { isTarget, names, targets } from "./targets.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: "string", default: "1" }, seed: { type: "string" } }
})

const unknown = positionals.find((name) => !isTarget(name))
const minutes = Number(values.minutes)
const given = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed)
if (unknown !== undefined || !(minutes > 0) || !Number.isSafeInteger(given)) {
  console.error(`npm run fuzz -- [--minutes N] [--seed N] [${names.join("|")}]…`)
  process.exit(2)
}

const chosen = positionals.length === 0 ? names : positionals.filter(isTarget)
const end = performance.now() + minutes * 60_000
/** In turns, so that each has its share of any time. */
const turnMillis = Math.min(60_000, (minutes * 60_000) / chosen.length)
const counts = new Map<string, number>()
console.log(`seed ${given}`)
let seed = given
do {
  for (const name of chosen) {
    const { finding, inputs } = await targets[name]((target) => fuzz(target, { seed, millis: turnMillis }))
    counts.set(name, (counts.get(name) ?? 0) + inputs)
    if (finding !== undefined) {
      console.error(
        `${finding.target}: ${finding.message}\n\n${finding.input}\n\nnpm run fuzz -- --seed ${finding.seed} ${name}`
      )
      process.exit(1)
    }
    if (performance.now() >= end) break
  }
  seed += 1_000_003
} while (performance.now() < end)
console.log(chosen.map((name) => `${name}: ${counts.get(name) ?? 0} inputs, nothing found`).join("\n"))
process.exit(0)
