/**
 * Preloaded (`node --import`) by the processes that an example starts. Whoever started them holds the other end of their
 * stdin: when it closes, however that program ended, they stop in order.
 */
import { isMainThread } from "node:worker_threads"

const graceMillis = 5_000

// It is loaded in threads too, whose stdin is another thing.
if (isMainThread) {
  process.stdin.on("end", () => {
    process.kill(process.pid, "SIGTERM")
    setTimeout(() => process.exit(1), graceMillis).unref()
  })
  process.stdin.resume()
  process.stdin.unref()
}
// Nobody reads any more what a stopping process prints: that must not keep it from stopping.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})
