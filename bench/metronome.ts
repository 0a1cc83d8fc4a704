/**
 * Calls back every millisecond, on time: the timers of an event loop are late by up to one of theirs, and what is late
 * here would be taken for latency of the system that is measured.
 */
import { Worker } from "node:worker_threads"

const beat = `
  const { parentPort, workerData } = require("node:worker_threads")
  const begin = performance.now()
  for (let next = 1; Atomics.load(workerData, 0) === 0; next++) {
    const wait = begin + next - performance.now()
    if (wait > 0) Atomics.wait(workerData, 0, 0, wait)
    parentPort.postMessage(0)
  }
`

/** Returns a function that stops it. */
export const startMetronome = (onBeat: () => void): () => Promise<void> => {
  const stopped = new Int32Array(new SharedArrayBuffer(4))
  const thread = new Worker(beat, { eval: true, workerData: stopped })
  const ended = new Promise<void>((resolve) => thread.once("exit", () => resolve()))
  thread.on("message", onBeat)
  return () => {
    Atomics.store(stopped, 0, 1)
    Atomics.notify(stopped, 0)
    return ended
  }
}
