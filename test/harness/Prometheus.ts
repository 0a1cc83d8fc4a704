/** Prometheus' text format as a test reads it, and Prometheus itself where it is installed. */
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "./Cluster.ts"
import { run, start } from "./Processes.ts"
import { until } from "./Until.ts"

export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Exposition {
  readonly types: ReadonlyMap<string, string>
  readonly helps: ReadonlyMap<string, string>
  readonly series: ReadonlyArray<Series>
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|\+Inf|NaN)$/u

const unescaped = (text: string) => text.replaceAll(/\\(.)/gu, (_, char: string) => char === "n" ? "\n" : char)

const parseLabels = (text: string): Readonly<Record<string, string>> => {
  const labels: Record<string, string> = {}
  let rest = text
  while (rest !== "") {
    const match = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/u.exec(rest)
    if (match === null) throw new Error(`Not labels: ${text}`)
    labels[match[1] as string] = unescaped(match[2] as string)
    rest = rest.slice(match[0].length)
  }
  return labels
}

/** Parses all of it; throws at a line that can't be. */
export const parse = (text: string): Exposition => {
  const types = new Map<string, string>()
  const helps = new Map<string, string>()
  const series: Array<Series> = []
  if (!text.endsWith("\n")) throw new Error("The last line does not end")
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/u.exec(line)
    if (comment !== null) {
      const to = comment[1] === "HELP" ? helps : types
      if (to.has(comment[2] as string)) throw new Error(`Said twice: ${line}`)
      to.set(comment[2] as string, comment[3] as string)
      continue
    }
    const match = sampleLine.exec(line)
    if (match === null) throw new Error(`Not a line of the format: ${line}`)
    const value = (match[3] as string).replace("Inf", "Infinity")
    series.push({ name: match[1] as string, labels: parseLabels(match[2] ?? ""), value: Number(value) })
  }
  return { types, helps, series }
}

/** The value of the one series with these labels; the sum of them when there are several. */
export const valueOf = ({ series }: Exposition, name: string, labels: Readonly<Record<string, string>> = {}) => {
  const found = series.filter((one) =>
    one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value)
  )
  if (found.length === 0) throw new Error(`No ${name} ${JSON.stringify(labels)}`)
  return found.reduce((sum, { value }) => sum + value, 0)
}

const isInstalled = (program: string) => spawnSync(program, ["--version"]).status === 0

/** Whether Debian's package `prometheus` is there: the server and `promtool`. */
export const hasPrometheus = isInstalled("prometheus") && isInstalled("promtool")

/** Runs `promtool`; fails with what it says when something is wrong. */
export const promtool = (args: ReadonlyArray<string>, input = "") => run("promtool", args, { input })

interface Answer {
  readonly status: string
  readonly error?: string
  readonly data?: unknown
}

export interface Found {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [at: number, value: string]
}

/** Starts Prometheus on a free port; it scrapes these targets, as the job `fastworker`, once a second. */
export const startPrometheus = Effect.fnUntraced(
  function*(targets: ReadonlyArray<string>, rules: ReadonlyArray<string>) {
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "fastworker-prometheus-"))),
      (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
    )
    const config = {
      global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
      rule_files: rules,
      scrape_configs: [{ job_name: "fastworker", static_configs: [{ targets }] }]
    }
    // JSON is YAML.
    yield* Effect.promise(() => writeFile(join(folder, "prometheus.yml"), JSON.stringify(config)))
    const port = yield* Effect.promise(freePort)
    const program = yield* start("prometheus", [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`
    ])
    const get = (path: string) =>
      Effect.promise(async () => {
        const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
        return response?.ok === true || response?.status === 400 ? await response.text() : undefined
      })
    yield* until(
      "Prometheus is ready",
      Effect.map(get("/-/ready"), (text) => {
        if (program.ended() !== undefined) throw new Error(`It ended: ${program.output()}`)
        return text !== undefined
      }),
      60_000
    )
    const ask = (path: string) =>
      Effect.map(get(path), (text): Answer => JSON.parse(text ?? "{\"status\":\"none\"}") as Answer)
    return {
      ask,
      /** What a query finds now; fails with what Prometheus says of it. */
      query: (expression: string) =>
        Effect.flatMap(
          ask(`/api/v1/query?query=${encodeURIComponent(expression)}`),
          ({ data, error, status }) =>
            status === "success"
              ? Effect.succeed((data as { readonly result: ReadonlyArray<Found> }).result)
              : Effect.fail(new Error(`${expression}: ${error}`))
        )
    }
  }
)
