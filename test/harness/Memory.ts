/** The memory of this process. */
import * as Effect from "effect/Effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void

/** Bytes that are in use after a garbage collection, on the heap and beside it. */
export const bytesInUse = (): number => {
  collectGarbage()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/** The least of some measurements over half a second: what is about to be freed (timers, sockets) does not count. */
export const leastBytesInUse = Effect.gen(function*() {
  let least = Infinity
  for (let i = 0; i < 10; i++) {
    least = Math.min(least, bytesInUse())
    yield* Effect.sleep(50)
  }
  return least
})
