/**
 * What clients and workers wrote down while a chaos run went on, line by line, so that it outlives them: the clients what
 * they wanted and got, the workers what they ran.
 */
import { existsSync, readFileSync } from "node:fs"
import type { Mode } from "./Script.ts"
import { expected, idOf, jobOf, partsOf } from "./Work.ts"

/** A line of a client's book. */
export interface Entry {
  /** Number of the job. */
  readonly n: number
  /**
   * `again`: taken up by a client that was started anew; `cancel`: how the control plane answered; `outcome`: what was
   * got; `refused`: by a unique key; `wrong`: what must never happen.
   */
  readonly e: "wanted" | "again" | "accepted" | "cancel" | "outcome" | "refused" | "wrong"
  readonly at: number
  readonly said?: string
}

/** What became of one job. */
export interface Account {
  wantedAt: number
  /** Two processes have submitted it, one after the other: to the control plane they are two clients. */
  isAgain: boolean
  accepted: boolean
  refused: boolean
  readonly cancels: Array<string>
  readonly outcomes: Array<string>
  readonly wrong: Array<string>
}

/** Reads a file of lines; the last one may be cut off, its writer was killed. */
const linesOf = (file: string): ReadonlyArray<string> =>
  existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : []

export const readBook = (file: string): Map<number, Account> => {
  const accounts = new Map<number, Account>()
  for (const line of linesOf(file)) {
    const { at, e, n, said = "" } = JSON.parse(line) as Entry
    const account = accounts.get(n) ??
      { wantedAt: at, isAgain: false, accepted: false, refused: false, cancels: [], outcomes: [], wrong: [] }
    accounts.set(n, account)
    if (e === "again") account.isAgain = true
    else if (e === "accepted") account.accepted = true
    else if (e === "refused") account.refused = true
    else if (e === "cancel") account.cancels.push(said)
    else if (e === "outcome") account.outcomes.push(said)
    else if (e === "wrong") account.wrong.push(said)
  }
  return accounts
}

export interface Execution {
  readonly id: string
  readonly attempt: number
  readonly at: number
  readonly what: string
}

export const readExecutions = (file: string): ReadonlyArray<Execution> =>
  linesOf(file).map((line) => {
    const [id = "", attempt, , at, what = ""] = line.split(" ")
    return { id, attempt: Number(attempt), at: Number(at), what }
  })

/** What a run adds up to. */
export interface Summary {
  readonly accepted: number
  readonly outcomes: Readonly<Record<"succeeded" | "failed" | "cancelled", number>>
  /** Tasks that ended with a control plane that had no journal. */
  readonly lost: number
  /**
   * Refused for a unique key, and run all the same, for a client that was killed before it was answered: its message was
   * still on its way, or its control plane is gone. The client that came after it was told no.
   */
  readonly strays: number
  /** Given up because their workers were lost, again and again. */
  readonly crashed: number
  readonly executions: number
  /** Executions beyond the first and beyond those that followed a failure: what "at least once" costs. */
  readonly repeated: number
  readonly violations: ReadonlyArray<string>
}

/** Losses after which a task may be given up; the control plane's default. */
const maxCrashes = 3

/** Clocks are read in different processes, by steps of a millisecond. */
const clockMillis = 5

/** Checks the books of all clients (by their numbers) against the work and the executions. */
export const audit = (
  { executions, books, mode, seed }: {
    readonly executions: ReadonlyArray<Execution>
    readonly books: ReadonlyMap<number, ReadonlyMap<number, Account>>
    readonly mode: Mode
    readonly seed: number
  }
): Summary => {
  const violations: Array<string> = []
  const outcomes = { succeeded: 0, failed: 0, cancelled: 0 }
  let accepted = 0
  let lost = 0
  let crashed = 0
  let repeated = 0
  let strays = 0

  /** What was accepted may be accepted anew: the control plane that knew it is gone, and its memory with it. */
  const forgets = mode === "memory, killed"
  const byId = Map.groupBy(executions, ({ id }) => id)
  for (const [client, book] of books) {
    for (const [number, account] of book) {
      const id = idOf(client, number)
      const job = jobOf(seed, client, number)
      const says = (what: string) => violations.push(`${id} (${job.kind}): ${what}`)
      const runs = byId.get(id) ?? []
      byId.delete(id)
      const starts = runs.filter(({ what }) => what === "start")
      const failed = new Set(runs.flatMap(({ attempt, what }) => what === "failed" ? [attempt] : []))
      for (const what of account.wrong) says(what)
      if (account.refused) {
        if (job.kind !== "unique") says("refused for a unique key that it does not have")
        if (account.accepted && !forgets) says("accepted and refused")
        // A copy of the message must not be accepted when the key is free again.
        if (starts.length > 0 && !account.isAgain && !forgets) says("refused for its unique key, and run")
        else if (starts.length > 0) strays++
        continue
      }
      if (!account.accepted) {
        says("neither accepted nor refused")
        continue
      }
      accepted++
      const told = forgets ? account.outcomes.filter((said, i) => i === 0 || said !== "lost") : account.outcomes
      const [outcome] = told
      if (outcome === undefined) {
        says("accepted, without an outcome")
        continue
      }
      if (new Set(told).size > 1) says(`several outcomes: ${told.join(" | ")}`)
      if (outcome === "lost") {
        lost++
        if (!forgets) says("lost")
        continue
      }
      repeated += Math.max(0, starts.length - 1 - (job.kind === "doomed" ? failed.size - 1 : failed.size))
      if (outcome === "crashed") {
        crashed++
        outcomes.failed++
        if (starts.length < maxCrashes) says(`given up after ${starts.length} executions`)
        continue
      }
      if (!expected(job, client, number).includes(outcome)) says(`has the outcome ${outcome}`)
      if (outcome === "cancelled") outcomes.cancelled++
      else if (outcome.startsWith("ok ")) outcomes.succeeded++
      else outcomes.failed++
      if (outcome !== "cancelled" && starts.length === 0) says("has an outcome and never ran")
      if (account.cancels.includes("ok") && outcome !== "cancelled" && !forgets) {
        says(`was told cancelled, and then ${outcome}`)
      }
      if (job.kind === "delayed") {
        const early = starts.find(({ at }) => at < account.wantedAt + job.in - clockMillis)
        if (early !== undefined) says(`ran ${account.wantedAt + job.in - early.at} ms before its time`)
      }
      // An attempt is given to one worker; a control plane that was killed may not have stored the last ones.
      if (mode === "memory" && new Set(starts.map(({ attempt }) => attempt)).size < starts.length) {
        says(`ran twice in one attempt: ${starts.map(({ attempt }) => attempt).join(", ")}`)
      }
    }
  }
  for (const id of byId.keys()) violations.push(`${id} ran, and nobody wanted it`)
  return { accepted, outcomes, lost, strays, crashed, executions: executions.length, repeated, violations }
}

/** What the control plane says of the tasks with a unique key: none may have been submitted before the one before ended. */
export const overlaps = (
  seed: number,
  tasks: ReadonlyArray<{ readonly id: string; readonly submittedAt: number; readonly finishedAt?: number }>
): ReadonlyArray<string> => {
  const byKey = Map.groupBy(tasks, ({ id }) => {
    const [client, number] = partsOf(id)
    const job = jobOf(seed, client, number)
    return job.kind === "unique" ? `${client}/${job.place}` : "not unique"
  })
  return [...byKey].flatMap(([key, tasks]) => {
    const inOrder = tasks.toSorted((a, b) => a.submittedAt - b.submittedAt)
    return inOrder.flatMap(({ finishedAt = Infinity, id }, i) => {
      const next = inOrder[i + 1]
      return next === undefined || next.submittedAt >= finishedAt - clockMillis
        ? []
        : [`${id} and ${next.id} held the unique key ${key} at the same time`]
    })
  })
}
