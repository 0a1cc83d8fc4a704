/** Parses server-sent events from chunks of text. Pure; the last, unfinished event stays with the parser. */
export interface SseEvent {
  readonly event: string
  readonly data: string
  /** The last id that was said, by this event or one before. */
  readonly id: string
}

/** Longest event that is put together: whoever sends more is not the control plane. */
const maxLength = 64 * 1024 * 1024

export const makeParser = (onEvent: (event: SseEvent) => void) => {
  let buffer = ""
  let event = ""
  let data: Array<string> = []
  let id = ""
  const line = (text: string) => {
    if (text === "") {
      if (data.length > 0) onEvent({ event: event === "" ? "message" : event, data: data.join("\n"), id })
      event = ""
      data = []
      return
    }
    if (text.startsWith(":")) return
    const colon = text.indexOf(":")
    const field = colon === -1 ? text : text.slice(0, colon)
    const value = colon === -1 ? "" : text.slice(colon + (text[colon + 1] === " " ? 2 : 1))
    if (field === "event") event = value
    else if (field === "data") data.push(value)
    else if (field === "id") id = value
  }
  return {
    push: (chunk: string) => {
      buffer += chunk
      if (buffer.length > maxLength) throw new Error("an event is too long")
      let from = 0
      while (true) {
        const end = buffer.indexOf("\n", from)
        if (end === -1) break
        line(buffer.slice(from, end > from && buffer[end - 1] === "\r" ? end - 1 : end))
        from = end + 1
      }
      buffer = buffer.slice(from)
    }
  }
}
