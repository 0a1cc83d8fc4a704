/** Stacks of errors as V8 writes them: which lines are of the program, which of a library. Pure. */
export interface Frame {
  /** The line without its indent and its `at`. */
  readonly text: string
  /** What is called, the place of it. */
  readonly call: string
  readonly place: string
  readonly isOwn: boolean
}

/** Frames of the same kind that stand together: of libraries they are folded. */
export interface FrameGroup {
  readonly isOwn: boolean
  readonly frames: ReadonlyArray<Frame>
}

export interface Stack {
  /** What stands before the first frame: class, message, which may have many lines. */
  readonly head: string
  readonly groups: ReadonlyArray<FrameGroup>
}

const library = /node_modules[\\/]|\bnode:|^internal[\\/]|<anonymous>|^native$|wasm:\/\//u

const frameOf = (line: string): Frame => {
  const text = line.trim().replace(/^at /u, "")
  const [, call = "", place = ""] = /^(.*?) ?\(([^()]*(?:\([^()]*\)[^()]*)*)\)$/u.exec(text) ?? ["", "", text]
  return { text, call, place: place.replace(/^file:\/\//u, ""), isOwn: !library.test(place) }
}

export const parseStack = (stack: string): Stack => {
  const lines = stack.split("\n")
  const first = lines.findIndex((line) => /^\s+at /u.test(line))
  const head = first === -1 ? stack : lines.slice(0, first).join("\n")
  const groups: Array<{ isOwn: boolean; frames: Array<Frame> }> = []
  for (const line of first === -1 ? [] : lines.slice(first)) {
    if (line.trim() === "") continue
    // Causes and notes between frames are the program's words.
    const frame = /^\s*at /u.test(line) ? frameOf(line) : { text: line, call: line, place: "", isOwn: true }
    const last = groups.at(-1)
    if (last?.isOwn === frame.isOwn) last.frames.push(frame)
    else groups.push({ isOwn: frame.isOwn, frames: [frame] })
  }
  return { head, groups }
}
