/**
 * Finished tasks in the order in which they finished, bounded by number and bytes: the oldest go first, and the arguments
 * of all before any task. Part of the history of a control plane.
 *
 * Kept in columns, a slot a task: a task without options and failures is some numbers, its id and its arguments, and to add
 * it makes no object. Each slot knows the one before it with the same state, name, worker and group of errors, so that
 * those of one are walked, newest first, without a look at the others; what is dropped needs no bookkeeping there.
 *
 * @since 0.1.0
 */
import type { Body } from "../domain/Body.ts"
import { filled } from "../domain/Filled.ts"
import type { FailureReason, Outcome } from "../domain/Outcome.ts"
import { FailureReason as Reasons } from "../domain/Outcome.ts"
import type { PriorityLevel } from "../domain/Priority.ts"
import type { EndedAttempt, TaskOptions } from "../domain/Task.ts"
import type { FinalState, TaskState } from "../domain/TaskState.ts"
import { FinalState as FinalStates } from "../domain/TaskState.ts"
import { makeIdIndex } from "./IdIndex.ts"
import { makeInterner } from "./Interner.ts"

/**
 * One state that a task went through. Times are milliseconds of the monotonic clock.
 *
 * @category models
 * @since 0.1.0
 */
export interface PathStep {
  readonly state: TaskState
  readonly at: number
  readonly note: string | undefined
}

/**
 * What only some tasks have.
 *
 * @category models
 * @since 0.1.0
 */
export interface Extra {
  readonly options: TaskOptions | undefined
  readonly history: ReadonlyArray<EndedAttempt>
  /** Missing where states and times follow from the rest. */
  readonly path: ReadonlyArray<PathStep> | undefined
  readonly dueAt: number
  readonly expiresAt: number
  /** First line of the error. */
  readonly error: string | undefined
  /** The newest tasks that run it again. */
  retriedAs: ReadonlyArray<string> | undefined
}

/**
 * By what the tasks can be walked.
 *
 * @category models
 * @since 0.1.0
 */
export type Chain = "state" | "name" | "worker" | "group"

/**
 * The finished tasks of a control plane.
 *
 * @category models
 * @since 0.1.0
 */
export type HistoryLog = ReturnType<typeof makeHistoryLog>

/** Bytes that a task accounts for besides its id, arguments and what is in its {@link Extra}. Measured on Node 24. */
const overheadBytes = 220
const argsBytes = 200
const extraBytes = 250
const attemptBytes = 200

/** Tasks that run a task again, of which it is remembered. */
const maxRetriedAs = 20

/**
 * Slots in the beginning, and how many times as many there are when they are full. What numbers need is not in RAM before
 * it is used, so much room costs little; to make room often was an eighth of what a task costs a control plane at first.
 */
const firstCapacity = 4_096
const growth = 8

const removed = 255
const states = FinalStates.literals
const stateNumber: Readonly<Record<FinalState, number>> = { succeeded: 0, failed: 1, cancelled: 2, expired: 3 }
const reasons: ReadonlyArray<FailureReason> = Reasons.literals

const makeColumns = (capacity: number) => ({
  ids: filled(capacity, ""),
  names: new Int32Array(capacity),
  workers: new Int32Array(capacity),
  groups: new Int32Array(capacity),
  states: new Uint8Array(capacity),
  levels: new Uint8Array(capacity),
  /** 0 is none. */
  reasons: new Uint8Array(capacity),
  attempts: new Uint32Array(capacity),
  submittedAt: new Float64Array(capacity),
  /** Not a number: it never started. */
  startedAt: new Float64Array(capacity),
  finishedAt: new Float64Array(capacity),
  bytes: new Uint32Array(capacity),
  /** What the arguments account for. They may be in no cache any more when they are dropped. */
  argsBytes: new Uint32Array(capacity),
  extras: filled<Extra | undefined>(capacity, undefined),
  args: filled<Body | undefined>(capacity, undefined),
  // How far back the one before is; 0 is nowhere.
  backState: new Uint32Array(capacity),
  backName: new Uint32Array(capacity),
  backWorker: new Uint32Array(capacity),
  backGroup: new Uint32Array(capacity)
})

const lengthOf = (text: string | undefined): number => text === undefined ? 0 : text.length

const bytesOfExtra = ({ error, history, options, path }: Extra): number => {
  let bytes = extraBytes + lengthOf(error) + (path === undefined ? 0 : 60 * path.length)
  for (const { body } of history) bytes += attemptBytes + body.length
  if (options !== undefined) {
    bytes += lengthOf(options.tenant) + lengthOf(options.limitKey) + lengthOf(options.fairKey) +
      lengthOf(options.unique?.key) + lengthOf(options.retryOf) + lengthOf(options.schedule)
    for (const tag of options.tags ?? []) bytes += 16 + tag.length
    for (const paths of Object.values(options.sensitive ?? {})) for (const path of paths) bytes += 16 + path.length
  }
  return bytes
}

/**
 * Creates the log without a task. `released` is told of the group of errors of each task that is dropped.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeHistoryLog = ({ maxBytes, maxTasks }: { readonly maxTasks: number; readonly maxBytes: number }) => {
  let capacity = Math.max(1, Math.min(maxTasks, firstCapacity))
  let columns = makeColumns(capacity)
  const indexOf = () => makeIdIndex(capacity, (slot) => columns.ids[slot] as string)
  let index = indexOf()
  const names = makeInterner()
  const workers = makeInterner()
  const nameHeads: Array<number> = []
  const workerHeads: Array<number> = []
  const groupHeads = new Map<number, number>()
  const stateHeads = states.map(() => -1)
  const stateCounts = states.map(() => 0)
  let size = 0
  let bytes = 0
  /** Tasks have numbers in the order in which they finished: those from `oldest` up to before `next` are kept. */
  let oldest = 0
  let next = 0
  /** From here on arguments are kept. */
  let argsFrom = 0

  const slotOf = (number: number) => number % capacity

  /** Makes more room. */
  const grow = () => {
    const before = columns
    const beforeCapacity = capacity
    capacity = Math.min(maxTasks, growth * capacity)
    columns = makeColumns(capacity)
    index = indexOf()
    const keys = Object.keys(before) as Array<keyof typeof before>
    for (const key of keys) {
      const from = before[key] as Array<unknown>
      const to = columns[key] as Array<unknown>
      for (let number = oldest; number < next; number++) to[slotOf(number)] = from[number % beforeCapacity]
    }
    for (let number = oldest; number < next; number++) if (has(number)) index.add(slotOf(number), idOf(number))
  }

  const dropArgs = (slot: number) => {
    bytes -= columns.argsBytes[slot] as number
    columns.argsBytes[slot] = 0
    columns.args[slot] = undefined
  }

  /** Takes what a task holds; its slot stays until it is the oldest. */
  const clear = (number: number) => {
    const slot = slotOf(number)
    const state = columns.states[slot] as number
    if (state === removed) return
    dropArgs(slot)
    bytes -= columns.bytes[slot] as number
    stateCounts[state] = (stateCounts[state] as number) - 1
    size--
    index.remove(slot)
    columns.ids[slot] = ""
    columns.extras[slot] = undefined
    columns.states[slot] = removed
  }

  const evict = () => {
    const slot = slotOf(oldest)
    clear(oldest)
    const name = columns.names[slot] as number
    const worker = columns.workers[slot] as number
    const group = columns.groups[slot] as number
    if (names.release(name)) nameHeads[name] = -1
    if (worker >= 0 && workers.release(worker)) workerHeads[worker] = -1
    if (group >= 0 && groupHeads.get(group) === oldest) groupHeads.delete(group)
    oldest++
    if (argsFrom < oldest) argsFrom = oldest
  }

  const back = (head: number | undefined): number => head === undefined || head < oldest ? 0 : next - head

  const isTooLarge = () => bytes > maxBytes && oldest < next

  const trim = () => {
    const end = next
    while (isTooLarge() && argsFrom < end) dropArgs(slotOf(argsFrom++))
    while (isTooLarge()) evict()
  }

  const has = (number: number) => number >= oldest && number < next && columns.states[slotOf(number)] !== removed

  const idOf = (number: number): string => columns.ids[slotOf(number)] as string

  /** The newest number that has a slot. */
  const numberOf = (slot: number): number => next - 1 - slotOf(next - 1 - slot + capacity)

  const find = (id: string): number | undefined => {
    const slot = index.find(id)
    return slot < 0 ? undefined : numberOf(slot)
  }

  const distanceOf = (chain: Chain, slot: number): number =>
    (chain === "state"
      ? columns.backState
      : chain === "name"
      ? columns.backName
      : chain === "worker"
      ? columns.backWorker
      : columns.backGroup)[slot] as number

  return {
    /**
     * Adds a task that finished. `group` is the number of its group of errors, -1 when it has none.
     */
    add(outcome: Outcome, args: Body | undefined, group: number, extra: Extra | undefined) {
      if (maxTasks === 0) return
      if (next - oldest >= capacity) {
        if (capacity < maxTasks) grow()
        else evict()
      }
      const slot = slotOf(next)
      const name = names.take(outcome.name)
      const worker = outcome.worker === undefined ? -1 : workers.take(outcome.worker)
      const state = stateNumber[outcome.state]
      const { backGroup, backName, backState, backWorker } = columns
      columns.ids[slot] = outcome.id
      columns.names[slot] = name
      columns.workers[slot] = worker
      columns.groups[slot] = group
      columns.states[slot] = state
      columns.levels[slot] = outcome.level
      columns.reasons[slot] = outcome.reason === undefined ? 0 : reasons.indexOf(outcome.reason) + 1
      columns.attempts[slot] = outcome.attempt
      columns.submittedAt[slot] = outcome.submittedAt
      columns.startedAt[slot] = outcome.startedAt ?? NaN
      columns.finishedAt[slot] = outcome.finishedAt
      columns.extras[slot] = extra
      columns.args[slot] = args
      backState[slot] = back(stateHeads[state])
      stateHeads[state] = next
      backName[slot] = back(nameHeads[name])
      nameHeads[name] = next
      if (worker >= 0) {
        backWorker[slot] = back(workerHeads[worker])
        workerHeads[worker] = next
      }
      if (group >= 0) {
        backGroup[slot] = back(groupHeads.get(group))
        groupHeads.set(group, next)
      }
      const own = overheadBytes + outcome.id.length + (extra === undefined ? 0 : bytesOfExtra(extra))
      columns.bytes[slot] = own
      const ofArgs = args === undefined ? 0 : argsBytes + args.length
      columns.argsBytes[slot] = ofArgs
      bytes += own + ofArgs
      stateCounts[state] = (stateCounts[state] as number) + 1
      size++
      const known = index.add(slot, outcome.id)
      if (known >= 0) {
        clear(numberOf(known))
        index.add(slot, outcome.id)
      }
      next++
      if (bytes > maxBytes) trim()
    },

    /** Drops a task. Returns whether it was there. */
    remove(id: string): boolean {
      const number = find(id)
      if (number === undefined) return false
      clear(number)
      return true
    },

    /** A task is run again by another one. */
    retried(id: string, as: string) {
      const number = find(id)
      const slot = number === undefined ? -1 : slotOf(number)
      const extra = columns.extras[slot]
      if (slot < 0 || extra === undefined) return
      const before = extra.retriedAs ?? []
      if (before.includes(as)) return
      extra.retriedAs = [...before.slice(1 - maxRetriedAs), as]
      if (before.length >= maxRetriedAs) return
      columns.bytes[slot] = (columns.bytes[slot] as number) + as.length + 16
      bytes += as.length + 16
    },

    /** The number of the task with this id. */
    find,
    /** Whether there is a task with this number (still). */
    has,
    /** Numbers of kept tasks: from `oldest` up to before `next`, and some of them may have been removed. */
    oldest: () => oldest,
    next: () => next,

    /** The newest of a chain, -1 when there is none; of a name or worker that nothing finished of there is none. */
    head(chain: Chain, value: string | number): number {
      const head = chain === "state"
        ? stateHeads[stateNumber[value as FinalState]]
        : chain === "group"
        ? groupHeads.get(value as number)
        : chain === "name"
        ? nameHeads[names.find(value as string) ?? -1]
        : workerHeads[workers.find(value as string) ?? -1]
      return head === undefined || head < oldest ? -1 : head
    },
    /** The one before it in a chain, -1 when there is none. */
    before(chain: Chain, number: number): number {
      const distance = distanceOf(chain, slotOf(number))
      const before = number - distance
      return distance === 0 || before < oldest ? -1 : before
    },
    /** About how many there are in a chain. */
    sizeOf: (chain: "state" | "name" | "worker", value: string): number =>
      chain === "state"
        ? stateCounts[stateNumber[value as FinalState]] ?? 0
        : chain === "name"
        ? names.uses(names.find(value) ?? -1)
        : workers.uses(workers.find(value) ?? -1),

    // What is told of a number holds for as long as {@link has} does.
    id: idOf,
    name: (number: number): string => names.text(columns.names[slotOf(number)] as number),
    worker(number: number): string | undefined {
      const worker = columns.workers[slotOf(number)] as number
      return worker < 0 ? undefined : workers.text(worker)
    },
    group: (number: number): number => columns.groups[slotOf(number)] as number,
    state: (number: number): FinalState => states[columns.states[slotOf(number)] as number] as FinalState,
    level: (number: number): PriorityLevel => columns.levels[slotOf(number)] as PriorityLevel,
    reason: (number: number): FailureReason | undefined => reasons[(columns.reasons[slotOf(number)] as number) - 1],
    attempt: (number: number): number => columns.attempts[slotOf(number)] as number,
    submittedAt: (number: number): number => columns.submittedAt[slotOf(number)] as number,
    startedAt(number: number): number | undefined {
      const at = columns.startedAt[slotOf(number)] as number
      return Number.isNaN(at) ? undefined : at
    },
    finishedAt: (number: number): number => columns.finishedAt[slotOf(number)] as number,
    extra: (number: number): Extra | undefined => columns.extras[slotOf(number)],
    args: (number: number): Body | undefined => columns.args[slotOf(number)],

    count: (state: FinalState): number => stateCounts[stateNumber[state]] as number,
    names: (): Iterable<[string, number]> => names.entries(),
    size: () => size,
    bytes: () => bytes
  }
}
