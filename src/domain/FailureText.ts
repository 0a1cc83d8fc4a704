/**
 * What a failure says, for people: the kind of error and its first line, out of the encoded error; and the form of it that
 * all failures with the same cause share. Reads errors, never arguments or results.
 *
 * @since 0.1.0
 */
import type { FailureReason } from "./Outcome.ts"
import { formatDuration, formatSize } from "./Settings.ts"

/**
 * A failure in words. `type` is the `_tag` or the class of the error.
 *
 * @category models
 * @since 0.1.0
 */
export interface FailureText {
  readonly type: string
  readonly message: string
  readonly stack?: string
}

/** Characters of an encoded error that are read; of a longer one what stands in the beginning is looked for. */
const maxRead = 8_192

/** Characters of a type and of a message that are shown. */
const maxType = 128
const maxMessage = 300

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A member of an encoded object that was cut off, or is too long to be read. */
const memberOf = (text: string, name: string): string | undefined => {
  const match = new RegExp(`"${name}"\\s*:\\s*"((?:[^"\\\\]|\\\\.){0,2000})`, "u").exec(text.slice(0, maxRead))
  if (match === null) return undefined
  const read = parse(`"${match[1] as string}"`)
  return typeof read === "string" ? read : undefined
}

const members = ["_tag", "name", "message", "reason", "stack", "cause"] as const

const read = (body: string): unknown => {
  const whole = body.length <= maxRead ? parse(body) : undefined
  if (whole !== undefined) return whole
  return Object.fromEntries(members.flatMap((name) => {
    const value = memberOf(body, name)
    return value === undefined ? [] : [[name, value]]
  }))
}

const text = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined

const firstLine = (value: string): string => {
  const end = value.search(/[\r\n]/u)
  const line = (end === -1 ? value : value.slice(0, end)).trim()
  return line.length > maxMessage ? `${line.slice(0, maxMessage - 1)}…` : line
}

const said = (type: string, message: string, stack?: string): FailureText => ({
  type: firstLine(type).slice(0, maxType),
  message: firstLine(message),
  ...(stack === undefined ? {} : { stack })
})

/** Of a declared error only what is called a message is shown: the rest may be anything. */
const declared = (error: unknown): FailureText => {
  if (typeof error === "string") return said("Error", error)
  if (!isRecord(error)) return said("Error", "")
  const type = text(error["_tag"]) ?? text(error["name"]) ?? "Error"
  return said(type, text(error["message"]) ?? text(error["reason"]) ?? "", text(error["stack"]))
}

const crashed = (crash: unknown): FailureText => {
  const crashes = isRecord(crash) && typeof crash["crashes"] === "number" ? crash["crashes"] : undefined
  const times = crashes === undefined ? "" : crashes === 1 ? " once" : ` ${crashes} times`
  const last = isRecord(crash) ? text(crash["last"]) : undefined
  const message = last === undefined ? undefined : declared(parse(last)).message
  const because = message === undefined || message === "" ? "" : `: ${message}`
  return said("TaskCrashed", `The process that ran it ended${times}${because}`)
}

const numberOf = (error: unknown, name: string): number | undefined => {
  const value = isRecord(error) ? error[name] : undefined
  return typeof value === "number" ? value : undefined
}

/**
 * Returns what a failure says. `body` is the encoded error as the outcome or the attempt has it.
 *
 * @category decoding
 * @since 0.1.0
 */
export const failureText = (reason: FailureReason | "lost", body: string): FailureText => {
  if (reason === "lost") return said("WorkerLost", "The worker was lost while it ran")
  const error = body === "" ? undefined : read(body)
  switch (reason) {
    case "error":
      return declared(error)
    case "crash":
      return isRecord(error) && "crashes" in error
        ? crashed(error)
        : said("TaskCrashed", declared(error).message || "The process that ran it ended")
    case "timeout": {
      const timeout = numberOf(error, "timeout")
      return said(
        "TaskTimedOut",
        timeout === undefined ? "It took too long" : `Took longer than ${formatDuration(timeout)}`
      )
    }
    case "unknown":
      return said("UnknownTask", "No worker has a handler for it")
    case "arguments": {
      const issues = isRecord(error) && Array.isArray(error["issues"]) ? error["issues"] as ReadonlyArray<unknown> : []
      const first = issues[0]
      const line = isRecord(first)
        ? `${text(first["field"]) ?? ""}: ${text(first["message"]) ?? ""}`.replace(/^: /u, "")
        : "The arguments do not fit"
      return said("InvalidArguments", issues.length > 1 ? `${line} (and ${issues.length - 1} more)` : line)
    }
    case "size": {
      const size = numberOf(error, "size")
      const limit = numberOf(error, "limit")
      return said(
        "TooLarge",
        size === undefined || limit === undefined
          ? "The result is too large"
          : `The result is ${formatSize(size)}, ${formatSize(limit)} are allowed`
      )
    }
    default: {
      if (!isRecord(error)) return said("Error", body)
      return said(text(error["name"]) ?? "Error", text(error["message"]) ?? "", text(error["stack"]))
    }
  }
}

/**
 * Returns a message without what differs from one failure to the next: numbers, ids, and what stands in quotes.
 *
 * @category formatting
 * @since 0.1.0
 */
export const normalize = (message: string): string =>
  message
    .replaceAll(/"[^"]*"|“[^”]*”|`[^`]*`|(?<![\p{L}\p{N}])'[^']*'/gu, "“…”")
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/giu, "#")
    // An id is a word with a digit in it that is long, or all of it hexadecimal.
    .replaceAll(/\b(?=[\p{L}_-]*\p{N})[\p{L}\p{N}_-]{16,}\b/gu, "#")
    .replaceAll(/\b(?:0x)?(?=[a-f]*[0-9])[0-9a-f]{6,}\b/giu, "#")
    .replaceAll(/\d+(?:[.,:]\d+)*/gu, "#")
    .slice(0, maxMessage)

/**
 * Returns a failure as one line: the type and, if there is one, the message.
 *
 * @category formatting
 * @since 0.1.0
 */
export const failureLine = ({ message, type }: FailureText): string => message === "" ? type : `${type}: ${message}`
