/**
 * Fuzzes the parser against the plainest reading of the same streams, for as long as wanted; stops at the first difference
 * with the seed that shows it. Run: `npm run fuzz -w node-nng -- [--minutes 1] [--seed 0]`.
 */
import { parseArgs } from "node:util"
import { fuzzParser } from "../test/fuzzing.ts"
import { makeRandom } from "../test/random.ts"

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "1" }, seed: { type: "string", default: `${Date.now() % 1e9}` } }
})
const endsAt = performance.now() + Number(values.minutes) * 60_000
let seed = Number(values.seed)
const first = seed
let printedAt = performance.now()
for (; performance.now() < endsAt; seed++) {
  try {
    fuzzParser(makeRandom(seed))
  } catch (error) {
    console.error(`seed ${seed}: npm run fuzz -w node-nng -- --seed ${seed} shows it again`)
    throw error
  }
  if (performance.now() - printedAt < 10_000) continue
  printedAt = performance.now()
  const { arrayBuffers, rss } = process.memoryUsage()
  console.log(
    `${seed - first} streams, ${Math.round(rss / 1e6)} MB resident, ${Math.round(arrayBuffers / 1e6)} MB in buffers`
  )
  if (rss > 1e9) throw new Error("the process has grown past 1 GB")
}
console.log(`${seed - first} streams from seed ${first}: no difference`)
