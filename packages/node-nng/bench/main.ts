/**
 * node-nng beside the C library and bare node:net, two processes each over loopback tcp, in interleaved runs.
 * Run: `npm run bench -w node-nng -- [--runs 5] [--seconds 1] [--only push|req] [--json FILE]`.
 *
 * Medians with the least and the most of all runs. Absolute rates vary by a factor of two or three between machines and
 * minutes: compare within one run. The C library is left out where gcc or libnng-dev is missing.
 */
import type { ChildProcess } from "node:child_process"
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    seconds: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    sizes: { type: "string", default: "" },
    json: { type: "string", default: "" }
  }
})
const runs = Number(values.runs)
const seconds = Number(values.seconds)
const warm = 0.4

const directory = mkdtempSync(join(tmpdir(), "nn-bench-"))
process.once("exit", () => rmSync(directory, { recursive: true, force: true }))
const program = join(directory, "peer")
const source = fileURLToPath(new URL("peer.c", import.meta.url))
const compiled = spawnSync("gcc", ["-O2", source, "-o", program, "-lnng"], { encoding: "utf8" })
if (compiled.status !== 0) console.error(`Without libnng: ${compiled.error?.message ?? compiled.stderr.split("\n")[0]}`)

interface Sample {
  readonly rate: number
  readonly p50?: number
  readonly p99?: number
}

type Library = "node-nng" | "libnng" | "node:net"

const libraries: ReadonlyArray<Library> = compiled.status === 0
  ? ["node-nng", "libnng", "node:net"]
  : ["node-nng", "node:net"]

const start = (library: Library, ...args: ReadonlyArray<string | number>): ChildProcess => {
  const words = args.map(String)
  const peer = fileURLToPath(new URL("peer.ts", import.meta.url))
  const [command, first] = library === "libnng" ? [program, words] : [process.execPath, [peer, ...words]]
  return spawn(command, first, { stdio: ["ignore", "pipe", "inherit"] })
}

/** The lines a process prints, one at a time; fails when it ends before. */
const linesOf = (child: ChildProcess): () => Promise<string> => {
  if (child.stdout === null) throw new Error("no output")
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return async () => {
    const { done, value } = await lines.next()
    if (done === true) throw new Error("a process ended before it was done")
    return value
  }
}

interface Case {
  readonly pattern: "PUSH/PULL" | "REQ/REP"
  readonly size: number
  readonly outstanding: number
}

const measure = async (library: Library, { outstanding, pattern, size }: Case): Promise<Sample> => {
  const bare = library === "node:net"
  const children: Array<ChildProcess> = []
  const keep = (child: ChildProcess): ChildProcess => {
    children.push(child)
    return child
  }
  try {
    if (pattern === "PUSH/PULL") {
      // Bare bytes stand for messages with their frame heads.
      // The receiver dials.
      const args = [bare ? size + 8 : size, seconds + warm]
      const server = keep(start(library, bare ? "source" : "push", ...args))
      const address = await linesOf(server)()
      const client = keep(start(library, bare ? "sink" : "pull", address, warm, ...bare ? [size + 8] : []))
      return JSON.parse(await linesOf(client)()) as Sample
    }
    const server = keep(start(library, bare ? "echo" : "rep"))
    const address = await linesOf(server)()
    const head = bare ? 12 : 0
    const client = keep(start(library, bare ? "ping" : "req", address, size + head, outstanding, seconds, warm))
    return JSON.parse(await linesOf(client)()) as Sample
  } finally {
    for (const child of children) child.kill("SIGKILL")
  }
}

const wanted = values.sizes === "" ? null : values.sizes.split(",").map(Number)
const sizes = (all: ReadonlyArray<number>): ReadonlyArray<number> =>
  wanted === null ? all : all.filter((size) => wanted.includes(size))
const cases: ReadonlyArray<Case> = [
  ...(values.only === "req" ? [] : sizes([64, 512, 4_096, 65_536, 1_048_576])).map((size): Case => ({
    pattern: "PUSH/PULL",
    size,
    outstanding: 0
  })),
  ...[1, 256].flatMap((outstanding) =>
    (values.only === "push" ? [] : sizes([64, 512, 4_096])).map((size): Case => ({
      pattern: "REQ/REP",
      size,
      outstanding
    }))
  )
]

const results = new Map<Case, Map<Library, Array<Sample>>>()
for (let run = 0; run < runs; run++) {
  for (const one of cases) {
    for (const library of libraries) {
      const sample = await measure(library, one)
      const ofCase = results.get(one) ?? new Map<Library, Array<Sample>>()
      results.set(one, ofCase.set(library, [...(ofCase.get(library) ?? []), sample]))
    }
  }
  console.error(`run ${run + 1} of ${runs}`)
}

const median = (numbers: ReadonlyArray<number>): number => numbers.toSorted((x, y) => x - y)[numbers.length >> 1] ?? 0

const short = (rate: number): string =>
  rate >= 1e6 ? `${(rate / 1e6).toFixed(2)}M` : rate >= 1e4 ? `${Math.round(rate / 1e3)}k` : `${Math.round(rate)}`

const row = (one: Case, ofCase: ReadonlyMap<Library, ReadonlyArray<Sample>>): ReadonlyArray<string> => {
  const rates = (library: Library): ReadonlyArray<number> => (ofCase.get(library) ?? []).map(({ rate }) => rate)
  const ours = median(rates("node-nng"))
  const cells = libraries.map((library) => {
    const all = rates(library)
    const text = `${short(median(all))} (${short(Math.min(...all))}-${short(Math.max(...all))})`
    if (one.outstanding === 0) return text
    const times = (key: "p50" | "p99") =>
      Math.round(median((ofCase.get(library) ?? []).map((sample) => sample[key] ?? 0)))
    return library === "node:net" && one.outstanding > 1 ? text : `${text} ${times("p50")}/${times("p99")}`
  })
  const times = libraries.includes("libnng") ? `${(ours / median(rates("libnng"))).toFixed(1)} x` : "-"
  const share = `${Math.round((ours / median(rates("node:net"))) * 100)} %`
  const name = one.outstanding === 0 ? one.pattern : `${one.pattern}, ${one.outstanding} out`
  return [name, `${one.size}`, ...cells, times, share]
}

const header = ["per second (least-most) p50/p99 in µs", "bytes", ...libraries, "to libnng", "of node:net"]
const table = [header, header.map(() => "---"), ...cases.map((one) => row(one, results.get(one) ?? new Map()))]
console.log(
  `Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model ?? "?"}, ${runs} runs of ${seconds} s\n`
)
for (const cells of table) console.log(`| ${cells.join(" | ")} |`)
if (values.json !== "") {
  const rows = cases.map((one) => ({ ...one, samples: Object.fromEntries(results.get(one) ?? []) }))
  writeFileSync(values.json, `${JSON.stringify({ node: process.versions.node, runs, seconds, rows }, null, 2)}\n`)
}
