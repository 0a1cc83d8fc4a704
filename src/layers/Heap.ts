/**
 * A binary heap in an array, of entries that know their place in it: so that an entry is added, moved and removed in
 * O(log n), and the first is known at once. Knows nothing of what the entries are.
 *
 * @since 0.1.0
 */

/**
 * An entry of a heap: ordered by `at`, then by `order`. `index` is its place, -1 outside of the heap.
 *
 * @category models
 * @since 0.1.0
 */
export interface Placed {
  at: number
  order: number
  index: number
}

/**
 * Returns whether an entry comes before another one.
 *
 * @category rules
 * @since 0.1.0
 */
export const isBefore = (a: Placed, b: Placed): boolean => a.at !== b.at ? a.at < b.at : a.order < b.order

const place = <A extends Placed>(heap: Array<A>, entry: A, index: number) => {
  heap[index] = entry
  entry.index = index
}

/** Takes an entry from its place towards the first as far as it belongs. */
const up = <A extends Placed>(heap: Array<A>, entry: A) => {
  let { index } = entry
  while (index > 0) {
    const above = (index - 1) >> 1
    const parent = heap[above] as A
    if (!isBefore(entry, parent)) break
    place(heap, parent, index)
    index = above
  }
  place(heap, entry, index)
}

const down = <A extends Placed>(heap: Array<A>, entry: A) => {
  let { index } = entry
  while (true) {
    const left = 2 * index + 1
    if (left >= heap.length) break
    const right = left + 1
    const smaller = right < heap.length && isBefore(heap[right] as A, heap[left] as A) ? right : left
    const child = heap[smaller] as A
    if (!isBefore(child, entry)) break
    place(heap, child, index)
    index = smaller
  }
  place(heap, entry, index)
}

/**
 * Adds an entry that is in no heap.
 *
 * @category operations
 * @since 0.1.0
 */
export const push = <A extends Placed>(heap: Array<A>, entry: A) => {
  entry.index = heap.push(entry) - 1
  up(heap, entry)
}

/**
 * Puts an entry where it belongs after its `at` or `order` changed.
 *
 * @category operations
 * @since 0.1.0
 */
export const moved = <A extends Placed>(heap: Array<A>, entry: A) => {
  const { index } = entry
  down(heap, entry)
  if (entry.index === index) up(heap, entry)
}

/**
 * Removes an entry.
 *
 * @category operations
 * @since 0.1.0
 */
export const remove = <A extends Placed>(heap: Array<A>, entry: A) => {
  const last = heap.pop()
  if (last !== undefined && last !== entry) {
    place(heap, last, entry.index)
    moved(heap, last)
  }
  entry.index = -1
}
