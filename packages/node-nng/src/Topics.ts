/** Topics of a subscriber: prefixes, of which one must match. */
import { NngError } from "./Errors.ts"

const bytesOf = (topic: string | Uint8Array): Uint8Array =>
  typeof topic === "string" ? Buffer.from(topic) : Uint8Array.from(topic)

const begins = (topic: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean => {
  if (end - start < topic.length) return false
  for (let i = 0; i < topic.length; i++) {
    if (bytes[start + i] !== topic[i]) return false
  }
  return true
}

/** A set of prefixes. The empty one matches all; without any, nothing matches. */
export class Topics {
  #topics: ReadonlyArray<Uint8Array> = []

  add(topic: string | Uint8Array): void {
    const bytes = bytesOf(topic)
    if (!this.#topics.some((other) => Buffer.compare(other, bytes) === 0)) this.#topics = [...this.#topics, bytes]
  }

  /** Removes a topic; throws ENOENT when it is not there. */
  remove(topic: string | Uint8Array): void {
    const bytes = bytesOf(topic)
    const rest = this.#topics.filter((other) => Buffer.compare(other, bytes) !== 0)
    if (rest.length === this.#topics.length) throw new NngError("ENOENT", "the topic is not subscribed")
    this.#topics = rest
  }

  matches(bytes: Uint8Array, start: number, end: number): boolean {
    for (const topic of this.#topics) {
      if (begins(topic, bytes, start, end)) return true
    }
    return false
  }
}
