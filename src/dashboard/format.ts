/**
 * Numbers and times as people read them. Pure: the clock is an argument. Units stand behind a no-break space, so that a
 * number and its unit never part.
 */
const unit = "\u00a0"
const integers = new Intl.NumberFormat("en")
const decimals = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })
const compacts = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 })
const clocks = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" })
const minutes = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" })
const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" })

/** 1,284 */
export const count = (value: number): string => integers.format(Math.round(value))

/** 18,904 and from a million on 1.2M: for places with little room. */
export const compact = (value: number): string => value < 1_000_000 ? count(value) : compacts.format(value)

/** 1 task, 2 tasks */
export const plural = (value: number, noun: string, nouns = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : nouns}`

/** 0, 0.4, 21.4, 340: a number a second, minute or hour. */
export const rate = (value: number): string =>
  value === 0 ? "0" : Math.abs(value) >= 99.95 ? count(value) : decimals.format(value)

/** +2.6/s, −0.2/s, ±0/s */
export const change = (perSecond: number): string => {
  const rounded = Math.abs(perSecond) < 0.05 ? 0 : perSecond
  return `${rounded === 0 ? "±" : rounded > 0 ? "+" : "−"}${rate(Math.abs(rounded))}/s`
}

/** 0.6 %, 100 %; a share that is there never reads as 0, one that is not whole never as 100. */
export const percent = (share: number): string => {
  if (share <= 0) return `0${unit}%`
  if (share >= 1) return `100${unit}%`
  if (share < 0.001) return `<${unit}0.1${unit}%`
  if (share > 0.999) return `99.9${unit}%`
  return `${decimals.format(share * 100)}${unit}%`
}

const steps = [[86_400, "d"], [3_600, "h"], [60, "m"], [1, "s"]] as const

/** 640 ms, 1.2 s, 34 s, 1 m 40 s, 4 h 3 m, 6 d 4 h */
export const duration = (millis: number): string => {
  const value = Math.max(0, millis)
  if (value < 999.5) return `${Math.round(value)}${unit}ms`
  if (value < 9_950) return `${decimals.format(value / 1_000)}${unit}s`
  return spanOf(Math.round(value / 1_000))
}

/** Whole seconds in at most two units. */
const spanOf = (seconds: number): string => {
  const at = steps.findIndex(([size]) => seconds >= size)
  const first = steps[at]
  if (first === undefined) return `0${unit}s`
  const second = steps[at + 1]
  const big = `${Math.floor(seconds / first[0])}${unit}${first[1]}`
  const rest = second === undefined ? 0 : Math.floor(seconds % first[0] / second[0])
  return rest === 0 || second === undefined ? big : `${big}\u00a0${rest}${unit}${second[1]}`
}

/** now, 18 s ago, 1 m ago, 2 h ago: never more than one unit, so that a column of them stands still. */
export const ago = (millis: number): string => {
  const seconds = Math.floor(Math.max(0, millis) / 1_000)
  if (seconds < 1) return "now"
  const step = steps.find(([size]) => seconds >= size) ?? steps[3]
  return `${Math.floor(seconds / step[0])}${unit}${step[1]} ago`
}

/** in 22 s, in 11 h 41 m, due */
export const ahead = (millis: number): string => millis < 1_000 ? "due" : `in ${spanOf(Math.floor(millis / 1_000))}`

/** 14:18:22 */
export const clock = (at: number): string => clocks.format(at)

/** 14:18 */
export const minute = (at: number): string => minutes.format(at)

/** 14:18:22.104 */
export const exact = (at: number): string => `${clocks.format(at)}.${String(Math.floor(at % 1_000)).padStart(3, "0")}`

/** 14:18:22 when it is of the same day as `now`, else 22 Nov 14:18. */
export const moment = (at: number, now: number): string =>
  new Date(at).toDateString() === new Date(now).toDateString() ? clock(at) : `${days.format(at)} ${minute(at)}`

/** 412 B, 1.2 kB, 64 kB, 5.2 MB */
export const bytes = (size: number): string => {
  const scale = ["B", "kB", "MB", "GB", "TB"] as const
  let value = size
  let at = 0
  while (value >= 999.5 && at < scale.length - 1) {
    value /= 1_000
    at += 1
  }
  return `${at === 0 || value >= 99.95 ? count(value) : decimals.format(value).replace(/\.0$/u, "")}${unit}${scale[at]}`
}

/** The last characters tell ids apart, the first when they were made: 01K9Z4T8PX1C stays, longer ones are cut. */
export const shortId = (id: string): string => id.length <= 14 ? id : `${id.slice(0, 6)}…${id.slice(-6)}`
