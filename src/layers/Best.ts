/**
 * The best of many items, a bounded number of them: a heap with the worst of those that are kept in front. Part of the
 * history of a control plane, for pages of long lists.
 *
 * @since 0.1.0
 */

/**
 * An item with its place in an order: by `key`, then by `id`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ranked {
  readonly key: number
  readonly id: string
}

/**
 * The order of a list: the greatest key first, or the least.
 *
 * @category models
 * @since 0.1.0
 */
export type Order = "descending" | "ascending"

/**
 * Returns whether an item comes before another one. Of equal keys the greater id is the greater.
 *
 * @category rules
 * @since 0.1.0
 */
export const isBefore = (order: Order, a: Ranked, b: Ranked): boolean => {
  const isGreater = a.key === b.key ? a.id > b.id : a.key > b.key
  return order === "descending" ? isGreater : (a.key !== b.key || a.id !== b.id) && !isGreater
}

/**
 * Creates it without an item. At most `limit` are kept.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeBest = (order: Order, limit: number) => {
  /** The first is the worst. */
  const heap: Array<Ranked> = []

  const up = (start: number) => {
    let index = start
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(order, heap[parent] as Ranked, heap[index] as Ranked)) return
      swap(parent, index)
      index = parent
    }
  }

  const down = () => {
    let index = 0
    for (;;) {
      let worst = index
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < heap.length && isBefore(order, heap[worst] as Ranked, heap[child] as Ranked)) worst = child
      }
      if (worst === index) return
      swap(worst, index)
      index = worst
    }
  }

  const swap = (a: number, b: number) => {
    const item = heap[a] as Ranked
    heap[a] = heap[b] as Ranked
    heap[b] = item
  }

  return {
    add(key: number, id: string) {
      const item = { key, id }
      if (heap.length < limit) {
        heap.push(item)
        up(heap.length - 1)
      } else if (isBefore(order, item, heap[0] as Ranked)) {
        heap[0] = item
        down()
      }
    },
    /** The worst that is kept, once there are as many as are kept: what comes after it need not be added. */
    worst: (): Ranked | undefined => heap.length < limit ? undefined : heap[0],
    /** What is kept, in order. */
    sorted: (): ReadonlyArray<Ranked> => heap.toSorted((a, b) => isBefore(order, a, b) ? -1 : 1)
  }
}
