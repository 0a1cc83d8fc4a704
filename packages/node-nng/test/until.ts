import { setTimeout as wait } from "node:timers/promises"

/** Waits until `condition` holds; fails, naming `what`, when it does not within the time. */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  millis = 10_000
): Promise<void> => {
  const end = performance.now() + millis
  while (!await condition()) {
    if (performance.now() > end) throw new Error(`not within ${millis} ms: ${what}`)
    await wait(2)
  }
}

/** Text of bytes. */
export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8")
