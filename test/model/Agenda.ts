/** Events of a simulation by their time. */
export interface Agenda {
  readonly add: (event: Event) => void
  readonly take: () => Event | undefined
}

export interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** A binary heap: earliest first, then in the order in which they were added. */
export const makeAgenda = (): Agenda => {
  const heap: Array<Event> = []
  const isBefore = (a: Event, b: Event) => a.at < b.at || (a.at === b.at && a.order < b.order)
  return {
    add(event) {
      let i = heap.push(event) - 1
      while (i > 0) {
        const up = (i - 1) >> 1
        const parent = heap[up] as Event
        if (!isBefore(event, parent)) break
        heap[i] = parent
        i = up
      }
      heap[i] = event
    },
    take() {
      const first = heap[0]
      const last = heap.pop()
      if (first === undefined || last === undefined || heap.length === 0) return first
      let i = 0
      while (true) {
        let down = 2 * i + 1
        if (down >= heap.length) break
        if (down + 1 < heap.length && isBefore(heap[down + 1] as Event, heap[down] as Event)) down++
        if (!isBefore(heap[down] as Event, last)) break
        heap[i] = heap[down] as Event
        i = down
      }
      heap[i] = last
      return first
    }
  }
}
