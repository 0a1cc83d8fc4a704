/** A first-in first-out queue whose `shift` costs O(1) at any length. */
export class Queue<A> {
  #items: Array<A | undefined> = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: A): void {
    this.#items.push(item)
  }

  /** Takes the oldest item out; undefined when there is none. */
  shift(): A | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head === this.#items.length) this.clear()
    else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Keeps only the items that pass. */
  retain(keep: (item: A) => boolean): void {
    this.#items = this.#items.slice(this.#head).filter((item) => item !== undefined && keep(item))
    this.#head = 0
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }
}
