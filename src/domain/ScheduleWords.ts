/**
 * When a schedule is due, in English: "Every day at 02:00 (UTC)", "Every 60 s". A cron expression that is read by no rule
 * here is told field by field, so that what is said is always what is meant.
 *
 * @since 0.1.0
 */
import type { ScheduleDeclaration } from "./Schedules.ts"

const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const
const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December"
] as const

/** A part of a list in a field: from, to, each. */
interface Span {
  readonly from: number
  readonly to: number
  readonly step: number
  /** Written as a star: all there is. */
  readonly isAll: boolean
}

interface Field {
  readonly spans: ReadonlyArray<Span>
  /** All values are meant. */
  readonly isAny: boolean
  /** The values, when they are written one by one. */
  readonly values: ReadonlyArray<number> | undefined
  /** All values that are a multiple of this. */
  readonly every: number | undefined
}

const numberOf = (text: string, names: ReadonlyArray<string>, first: number): number => {
  const named = names.findIndex((name) => name.slice(0, 3).toUpperCase() === text.toUpperCase())
  return named >= 0 ? named + first : /^\d{1,2}$/u.test(text) ? Number(text) : NaN
}

const parseSpan = (text: string, [low, high]: readonly [number, number], names: ReadonlyArray<string>): Span => {
  const [range = "", step = "1"] = text.split("/")
  const isAll = range === "*"
  const [from = "", to = from] = isAll ? [String(low), String(high)] : range.split("-")
  return {
    from: numberOf(from, names, low),
    // From a number on in steps is to the end.
    to: text.includes("/") && !isAll && !range.includes("-") ? high : numberOf(to, names, low),
    step: /^\d{1,2}$/u.test(step) ? Number(step) : NaN,
    isAll
  }
}

/** Reads a field; `undefined` when it is written in another way than is known here. */
const parseField = (
  text: string,
  bounds: readonly [number, number],
  names: ReadonlyArray<string> = []
): Field | undefined => {
  const spans = text.split(",").map((part) => parseSpan(part, bounds, names))
  if (spans.some(({ from, step, to }) => !(step >= 1) || !(to >= from))) return undefined
  const [only] = spans
  const single = spans.length === 1 && only !== undefined ? only : undefined
  return {
    spans,
    isAny: single?.isAll === true && single.step === 1,
    values: spans.every(({ from, to }) => from === to) ? spans.map(({ from }) => from) : undefined,
    every: single?.isAll === true && single.step > 1 ? single.step : undefined
  }
}

const list = (items: ReadonlyArray<string>): string =>
  items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items[items.length - 1]}`

const two = (value: number): string => String(value).padStart(2, "0")

/** A field in words: "5", "1 to 5", "every second from 10 to 20". */
const tell = ({ spans }: Field, name: (value: number) => string, unit: string): string =>
  list(spans.map(({ from, isAll, step, to }) => {
    const range = from === to ? name(from) : `${name(from)} to ${name(to)}`
    if (step === 1) return range
    return isAll ? `every ${step} ${unit}` : `every ${step} ${unit} from ${range}`
  }))

const plural = (count: number, unit: string): string => count === 1 ? `Every ${unit}` : `Every ${count} ${unit}s`

/** On which days; empty when on all of them. */
const tellDays = (day: Field, month: Field, weekday: Field): string => {
  const inMonths = month.isAny ? "" : tell(month, (value) => months[value - 1] ?? String(value), "months")
  const onWeekdays = weekday.isAny ? "" : tell(weekday, (value) => weekdays[value % 7] ?? String(value), "weekdays")
  const onDays = day.isAny ? "" : tell(day, String, "days")
  if (onDays === "" && onWeekdays === "") return inMonths === "" ? "" : `every day in ${inMonths}`
  const ofMonth = inMonths === "" ? "every month" : inMonths
  const days = onDays === "" ? "" : `day ${onDays} of ${ofMonth}`
  if (days === "") return `${onWeekdays}${inMonths === "" ? "" : ` in ${inMonths}`}`
  // Both are written: one of them is enough.
  return onWeekdays === "" ? days : `${days} or ${onWeekdays}`
}

const capitalized = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`

const isOnly = ({ values }: Field, value: number): boolean => values?.length === 1 && values[0] === value

/** The times of a day; `undefined` when there are too many to be told one by one. */
const timesOf = (second: Field, minute: Field, hour: Field): ReadonlyArray<string> | undefined => {
  if (second.values?.length !== 1 || minute.values === undefined || hour.values === undefined) return undefined
  if (minute.values.length * hour.values.length > 4) return undefined
  const [seconds = 0] = second.values
  const after = seconds === 0 ? "" : `:${two(seconds)}`
  const minutes = minute.values
  return hour.values.flatMap((hours) => minutes.map((minute) => `${two(hours)}:${two(minute)}${after}`))
}

/** Whether steps are all of one length: those that do not go into the whole begin anew with it. */
const isEven = (step: number | undefined, whole: number): step is number => step !== undefined && whole % step === 0

/** "Every 5 minutes", when that is all there is to say of the times of a day. */
const intervalOf = (second: Field, minute: Field, hour: Field): string | undefined => {
  if (!isOnly(second, 0)) {
    if (!minute.isAny || !hour.isAny) return undefined
    return second.isAny ? plural(1, "second") : isEven(second.every, 60) ? plural(second.every, "second") : undefined
  }
  if (hour.isAny) {
    if (minute.isAny) return plural(1, "minute")
    if (isEven(minute.every, 60)) return plural(minute.every, "minute")
    if (isOnly(minute, 0)) return plural(1, "hour")
    return minute.values === undefined
      ? undefined
      : `Every hour at minute${minute.values.length === 1 ? "" : "s"} ${list(minute.values.map(String))}`
  }
  return isEven(hour.every, 24) && isOnly(minute, 0) ? plural(hour.every, "hour") : undefined
}

/** All of it, field by field. */
const tellTimes = (second: Field, minute: Field, hour: Field): string => {
  const hours = hour.isAny ? "every hour" : `hour ${tell(hour, two, "hours")}`
  const minutes = minute.isAny ? "every minute" : `minute ${tell(minute, String, "minutes")}`
  const seconds = isOnly(second, 0)
    ? ""
    : second.isAny
    ? "every second of "
    : `second ${tell(second, String, "seconds")} of `
  return `At ${seconds}${minutes} of ${hours}`
}

const cronWords = (expression: string): string | undefined => {
  const texts = expression.trim().split(/\s+/u)
  if (texts.length !== 5 && texts.length !== 6) return undefined
  const [s = "", m = "", h = "", d = "", mo = "", w = ""] = texts.length === 5 ? ["0", ...texts] : texts
  const second = parseField(s, [0, 59])
  const minute = parseField(m, [0, 59])
  const hour = parseField(h, [0, 23])
  const day = parseField(d, [1, 31])
  const month = parseField(mo, [1, 12], months)
  const weekday = parseField(w, [0, 6], weekdays)
  if (
    second === undefined || minute === undefined || hour === undefined || day === undefined || month === undefined ||
    weekday === undefined
  ) return undefined
  const days = tellDays(day, month, weekday)
  const interval = intervalOf(second, minute, hour)
  if (interval !== undefined) return days === "" ? interval : `${interval}, ${days}`
  const times = timesOf(second, minute, hour)
  if (times === undefined) return `${tellTimes(second, minute, hour)}${days === "" ? "" : `, ${days}`}`
  const isOneDay = day.isAny && weekday.values?.length === 1
  const which = days === "" ? "Every day" : isOneDay && month.isAny ? `Every ${days}` : capitalized(days)
  return `${which} at ${list(times)}`
}

const units = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]] as const

const intervalWords = (millis: number): string => {
  if (millis < 120_000 && millis >= 1_000) return `Every ${Number((millis / 1_000).toPrecision(4))} s`
  if (millis < 1_000) return `Every ${millis} ms`
  for (const [unit, length] of units) if (millis % length === 0) return plural(millis / length, unit)
  return `Every ${Math.round(millis / 1_000)} s`
}

/**
 * Returns when a schedule is due, in words.
 *
 * @category formatting
 * @since 0.1.0
 */
export const scheduleWords = ({ kind }: Pick<ScheduleDeclaration, "kind">): string => {
  if ("every" in kind) return intervalWords(kind.every)
  return `${cronWords(kind.cron) ?? `At the times of ${kind.cron}`} (${kind.timeZone ?? "UTC"})`
}
