/** What a measure is, and how it is run: its contenders take turns, and the medians of their runs count. */

/** One run of one contender. A measure that submits tasks says how many, and how often they ran. */
export interface Run {
  readonly numbers: Readonly<Record<string, number>>
  readonly submitted?: number
  readonly executions?: number
  readonly wrong?: number
}

export interface Contender {
  readonly name: string
  readonly run: () => Promise<Run>
}

/** A column of a measure's table. */
export interface Column {
  readonly key: string
  readonly label: string
  readonly digits: number
}

export interface Row {
  readonly name: string
  /** Medians, by key. */
  readonly numbers: Readonly<Record<string, number>>
  readonly least: Readonly<Record<string, number>>
  readonly most: Readonly<Record<string, number>>
  /** Whether every task ran once and gave its own result; `undefined` where none was to run. */
  readonly exactlyOnce: boolean | undefined
}

/** A number that is to be reached: at least, or at most. */
export interface Goal {
  readonly what: string
  readonly value: number
  readonly unit: string
  readonly need: "at least" | "at most"
  readonly floor: number
  readonly aim: number
}

export interface Measure {
  readonly name: string
  readonly title: string
  readonly columns: ReadonlyArray<Column>
  readonly contenders: ReadonlyArray<Contender>
  /** `number` is NaN for what was not measured. */
  readonly goals: (number: (contender: string, key: string) => number) => ReadonlyArray<Goal>
  /** What the reader has to know about it. */
  readonly notes?: ReadonlyArray<string>
}

export interface Measured {
  readonly name: string
  readonly title: string
  readonly columns: ReadonlyArray<Column>
  readonly rows: ReadonlyArray<Row>
  readonly goals: ReadonlyArray<Goal>
  /** Contenders of which a run failed; the notes say why. */
  readonly failed: ReadonlyArray<string>
  readonly notes: ReadonlyArray<string>
}

export const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] ?? NaN : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

const each = (runs: ReadonlyArray<Run>, of: (numbers: ReadonlyArray<number>) => number) =>
  Object.fromEntries(
    Object.keys(runs[0]?.numbers ?? {}).map((key) => [key, of(runs.map(({ numbers }) => numbers[key] ?? NaN))])
  )

const isExact = ({ executions, submitted, wrong = 0 }: Run) => wrong === 0 && executions === submitted

const toRow = (name: string, runs: ReadonlyArray<Run>): Row => ({
  name,
  numbers: each(runs, median),
  least: each(runs, (numbers) => Math.min(...numbers)),
  most: each(runs, (numbers) => Math.max(...numbers)),
  exactlyOnce: runs.every(({ submitted }) => submitted === undefined) ? undefined : runs.every(isExact)
})

/** Runs a measure. A contender that fails is left out, and said to have failed. */
export const runMeasure = async (measure: Measure, runs: number, say: (line: string) => void): Promise<Measured> => {
  const done = new Map<string, Array<Run>>(measure.contenders.map(({ name }) => [name, []]))
  const failed: Array<string> = []
  const failures: Array<string> = []
  for (let run = 1; run <= runs; run++) {
    for (const { name, run: measureOnce } of measure.contenders) {
      say(`${measure.name}, run ${run} of ${runs}: ${name}`)
      try {
        done.get(name)?.push(await measureOnce())
      } catch (error) {
        failed.push(name)
        failures.push(`${name} failed in run ${run}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  const rows = [...done].flatMap(([name, runs]) => runs.length === 0 ? [] : [toRow(name, runs)])
  const number = (contender: string, key: string) => rows.find(({ name }) => name === contender)?.numbers[key] ?? NaN
  const { columns, name, notes = [], title } = measure
  const goals = measure.goals(number).filter(({ value }) => Number.isFinite(value))
  return { name, title, columns, rows, goals, failed, notes: [...notes, ...failures] }
}
