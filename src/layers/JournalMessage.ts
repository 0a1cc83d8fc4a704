/**
 * What the journal and its thread say to each other. Entries and rows travel packed: texts, numbers and bytes, each kind
 * in one piece and read in the order in which it was written, so that thousands of entries cost few copies.
 *
 * @since 0.1.0
 */
import { Buffer } from "node:buffer"
import type { Body } from "../domain/Body.ts"
import type {
  JournalBounds,
  JournalContents,
  JournalDead,
  JournalEntry,
  JournalKind,
  JournalOutcome,
  JournalTask
} from "../services/Journal.ts"
import type { Fault } from "./JournalFile.ts"

/**
 * What the thread is asked: one thing at a time, the next one after the answer.
 *
 * @category models
 * @since 0.1.0
 */
export type Request =
  | { readonly type: "load"; readonly bounds: JournalBounds; readonly now: number }
  | { readonly type: "commit"; readonly pack: Pack; readonly now: number }
  | { readonly type: "close" }

/**
 * What the thread answers: `opened` or `fault` unasked at first; any number of `rows` and then `loaded`; `committed`; a
 * `fault` instead of any; nothing to `close`, after which it ends.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer =
  | { readonly type: "opened" }
  | { readonly type: "rows"; readonly pack: Pack }
  | { readonly type: "loaded" }
  | { readonly type: "committed" }
  | { readonly type: "fault"; readonly fault: Fault }

/**
 * First cell of each entry in a batch; {@link encode} writes those that follow.
 *
 * @category constants
 * @since 0.1.0
 */
export const Op = {
  accepted: 0,
  changed: 1,
  checkpoint: 2,
  finished: 3,
  died: 4,
  ended: 5,
  forgotten: 6,
  put: 7,
  remove: 8
} as const

/**
 * First cell of each row that is loaded.
 *
 * @category constants
 * @since 0.1.0
 */
export const Row = { task: 0, checkpointed: 1, outcome: 2, dead: 3, value: 4 } as const

/**
 * What is sent: cloned but for the bytes, which are handed over.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pack {
  readonly text: string
  readonly numbers: Float64Array
  readonly bytes: Uint8Array<ArrayBuffer>
}

/**
 * Takes cells and makes a pack of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface PackWriter {
  readonly number: (value: number) => void
  readonly text: (value: string) => void
  readonly bytes: (value: Body) => void
  /** Bytes and characters so far. */
  readonly size: () => number
  readonly done: () => Pack
}

/**
 * Gives the cells of a pack in the order in which they were written.
 *
 * @category models
 * @since 0.1.0
 */
export interface PackReader {
  readonly isDone: () => boolean
  readonly number: () => number
  readonly text: () => string
  /** A view of the pack's bytes: copy what outlives the pack. */
  readonly bytes: () => Uint8Array<ArrayBuffer>
}

/**
 * Creates an empty writer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeWriter = (): PackWriter => {
  const numbers: Array<number> = []
  const texts: Array<string> = []
  const chunks: Array<Body> = []
  let characters = 0
  let length = 0
  return {
    number: (value) => void numbers.push(value),
    text(value) {
      numbers.push(value.length)
      texts.push(value)
      characters += value.length
    },
    bytes(value) {
      numbers.push(value.length)
      chunks.push(value)
      length += value.length
    },
    size: () => characters + length,
    done() {
      const bytes = Buffer.from(new ArrayBuffer(length))
      let offset = 0
      for (const chunk of chunks) {
        if (typeof chunk === "string") bytes.write(chunk, offset, "latin1")
        else bytes.set(chunk, offset)
        offset += chunk.length
      }
      return { text: texts.join(""), numbers: Float64Array.from(numbers), bytes }
    }
  }
}

/**
 * Creates a reader that stands before the first cell.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeReader = (pack: Pack): PackReader => {
  let cell = 0
  let character = 0
  let offset = 0
  const number = () => pack.numbers[cell++] as number
  return {
    isDone: () => cell >= pack.numbers.length,
    number,
    text() {
      const start = character
      character += number()
      return pack.text.slice(start, character)
    },
    bytes() {
      const start = offset
      offset += number()
      return pack.bytes.subarray(start, offset)
    }
  }
}

/**
 * An entry, or what is left of one: a task that has `ended` leaves no outcome behind.
 *
 * @category models
 * @since 0.1.0
 */
export type Change = JournalEntry | { readonly type: "ended"; readonly id: string }

/**
 * Packs changes, in order.
 *
 * @category constructors
 * @since 0.1.0
 */
export const encode = (changes: ReadonlyArray<Change>): Pack => {
  const { bytes, done, number, text } = makeWriter()
  for (const change of changes) {
    switch (change.type) {
      case "accepted":
        number(Op.accepted)
        text(change.id)
        bytes(change.args)
        text(change.record)
        text(change.state)
        break
      case "changed":
        number(Op.changed)
        text(change.id)
        text(change.state)
        break
      case "checkpoint":
        number(Op.checkpoint)
        text(change.id)
        bytes(change.body)
        break
      case "finished":
        number(change.isDead ? Op.died : Op.finished)
        text(change.id)
        text(change.record)
        bytes(change.body)
        number(change.keepUntil)
        break
      case "ended":
      case "forgotten":
        number(Op[change.type])
        text(change.id)
        break
      case "put":
        number(change.value === undefined ? Op.remove : Op.put)
        text(change.kind)
        text(change.key)
        if (change.value !== undefined) text(change.value)
        break
    }
  }
  return done()
}

/**
 * Puts rows together as they arrive. What it keeps is copied, so that a small task does not hold a large message.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeContents = () => {
  const tasks: Array<JournalTask> = []
  const outcomes: Array<JournalOutcome> = []
  const dead: Array<JournalDead> = []
  const values: Record<JournalKind, Map<string, string>> = { schedule: new Map(), pause: new Map(), unique: new Map() }
  const contents: JournalContents = { tasks, outcomes, dead, values }
  const add = (pack: Pack) => {
    const { bytes, isDone, number, text } = makeReader(pack)
    const copy = () => bytes().slice()
    while (!isDone()) {
      const row = number()
      switch (row) {
        case Row.task:
        case Row.checkpointed: {
          const task = { id: text(), args: copy(), record: text(), state: text() }
          tasks.push({ ...task, checkpoint: row === Row.checkpointed ? copy() : undefined })
          break
        }
        case Row.outcome:
          outcomes.push({ id: text(), record: text(), body: copy(), keepUntil: number() })
          break
        case Row.dead:
          dead.push({ id: text(), args: copy(), record: text(), outcome: text(), body: copy() })
          break
        case Row.value:
          values[text() as JournalKind].set(text(), text())
          break
      }
    }
  }
  return { contents, add }
}
