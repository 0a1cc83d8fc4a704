/**
 * What is kept of the changes that a journal can't store for now. Pure.
 *
 * @since 0.1.0
 */
import type { JournalBounds } from "../services/Journal.ts"
import type { Change } from "./JournalMessage.ts"

/**
 * A change and the number that it was appended with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Numbered {
  readonly change: Change
  readonly position: number
}

/**
 * What has to be kept of changes while they can't be stored, in their order: of several states, checkpoints or values of
 * the same thing the last one, nothing of a task that has finished but its outcome, and no more outcomes and dead tasks
 * than a commit of all of them would leave. So memory is bounded by what is alive, not by how long the disk is full.
 *
 * @category rules
 * @since 0.1.0
 */
export const condense = (changes: ReadonlyArray<Numbered>, bounds: JournalBounds): Array<Numbered> => {
  const kept: Array<Numbered> = []
  const later = new Set<string>()
  const isFirst = (key: string) => !later.has(key) && later.add(key) !== undefined
  let [outcomes, outcomeBytes, dead, deadBytes] = [0, 0, 0, 0]
  for (const numbered of changes.toReversed()) {
    const { change } = numbered
    switch (change.type) {
      case "accepted":
        // Changes from before belong to another task, which had the same id.
        later.delete(`changed ${change.id}`)
        later.delete(`checkpoint ${change.id}`)
        kept.push(numbered)
        break
      case "changed":
      case "checkpoint":
        if (isFirst(`${change.type} ${change.id}`)) kept.push(numbered)
        break
      case "put":
        if (isFirst(`put ${change.kind} ${change.key}`)) kept.push(numbered)
        break
      case "finished": {
        later.add(`changed ${change.id}`).add(`checkpoint ${change.id}`)
        const size = change.body.length + change.record.length
        const isOutcomeKept = outcomes < bounds.maxOutcomes && outcomeBytes + size <= bounds.maxOutcomeBytes
        const isDeadKept = change.isDead && dead < bounds.maxDead && deadBytes + size <= bounds.maxDeadBytes
        if (isOutcomeKept || isDeadKept) kept.push(numbered)
        else kept.push({ position: numbered.position, change: { type: "ended", id: change.id } })
        outcomes++
        outcomeBytes += size
        dead += change.isDead ? 1 : 0
        deadBytes += change.isDead ? size : 0
        break
      }
      default:
        kept.push(numbered)
    }
  }
  return kept.toReversed()
}
