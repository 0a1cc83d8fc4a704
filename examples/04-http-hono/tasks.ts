import { Effect } from "effect"
import { countPrimes } from "./definitions.ts"

export default countPrimes.toLayer(({ below }) =>
  Effect.sync(() => {
    const composite = new Uint8Array(below)
    let count = 0
    for (let n = 2; n < below; n++) {
      if (composite[n] === 1) continue
      count++
      for (let multiple = n * n; multiple < below; multiple += n) composite[multiple] = 1
    }
    return count
  })
)
