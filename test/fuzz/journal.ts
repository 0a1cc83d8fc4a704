/** Journals whose bytes or rows were damaged: a control plane starts with them, or says in a sentence why it does not. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { Buffer } from "node:buffer"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Task from "../../src/domain/TaskDefinition.ts"
import * as JournalSqlite from "../../src/layers/JournalSqlite.ts"
import { layerControlPlane } from "../../src/layers/Node.ts"
import { layerSettings } from "../../src/layers/NodeClient.ts"
import { ControlPlane } from "../../src/services/ControlPlane.ts"
import { startClient, startWorker } from "../harness/Roles.ts"
import { until } from "../harness/Until.ts"
import type { Random, Target } from "./Fuzz.ts"
import { open } from "./live.ts"
import { mutateBytes, mutateJson, pick, upTo } from "./mutate.ts"

type Damage =
  | { readonly kind: "bytes"; readonly at: number; readonly bytes: ReadonlyArray<number> }
  | { readonly kind: "cut"; readonly at: number }
  | { readonly kind: "row"; readonly table: string; readonly column: string; readonly seed: number }

const columns = [
  ["task", "record"],
  ["task", "state"],
  ["task", "args"],
  ["outcome", "record"],
  ["outcome", "body"],
  ["dead", "record"],
  ["dead", "outcome"],
  ["value", "value"],
  ["value", "key"]
] as const

const any = "tcp://127.0.0.1:0"
const settings = layerSettings({
  address: any,
  workerAddress: any,
  discovery: any,
  startGraceMillis: 0,
  maxHistory: 100
})

const start = (file: string) =>
  Layer.build(layerControlPlane.pipe(Layer.provide(JournalSqlite.layer(file)), Layer.provide(settings)))

const ok = Task.define("ok", {
  tags: () => ["t"],
  unique: { key: () => "k", while: "1 hour", onConflict: "existing" },
  run: () => Effect.void
})
const bad = Task.define("bad", { run: () => Effect.die(new Error("no")) })
const plain = Task.define("plain", { run: () => Effect.void })

/** A journal with some of everything. */
const write = (file: string) =>
  Effect.scoped(Effect.gen(function*() {
    const context = yield* start(file)
    const plane = yield* Effect.provideContext(ControlPlane, context)
    yield* startWorker(plane, Layer.mergeAll(ok.layer, bad.layer, plain.layer), { id: "one" })
    const client = yield* startClient(plane)
    yield* client.run(ok, {})
    for (let i = 0; i < 5; i++) yield* client.run(plain, {})
    yield* Effect.flip(client.run(bad, {}))
    yield* client.delay(plain, {}, { in: "1 hour", expiresIn: "2 hours", tenant: "a" })
    yield* client.schedule(Task.every(plain, "1 hour"))
    yield* client.pause({ task: "other" })
    yield* until("it is counted", Effect.map(plane.stats, ({ running }) => running === 0))
  }))

const damageOf = (random: Random): ReadonlyArray<Damage> =>
  Array.from({ length: 1 + upTo(random, 2) }, (): Damage => {
    const kind = random()
    if (kind < 0.5) {
      const [table, column] = pick(random, columns)
      return { kind: "row", table, column, seed: upTo(random, 2 ** 30) }
    }
    // The head of the file and those of pages decide most.
    const at = random() < 0.3
      ? upTo(random, 120)
      : random() < 0.5
      ? 4_096 * upTo(random, 12) + upTo(random, 64)
      : upTo(random, 60_000)
    return kind < 0.95
      ? { kind: "bytes", at, bytes: Array.from({ length: 1 + upTo(random, 30) }, () => upTo(random, 255)) }
      : { kind: "cut", at }
  })

const spoil = (value: unknown, seed: number, random: Random): string | Uint8Array => {
  if (typeof value !== "string") return mutateBytes(random, Buffer.from(value instanceof Uint8Array ? value : []))
  if (seed % 3 === 0) return mutateBytes(random, Buffer.from(value)).toString("latin1")
  try {
    return JSON.stringify(mutateJson(random, JSON.parse(value))) ?? "null"
  } catch {
    return mutateBytes(random, Buffer.from(value)).toString("latin1")
  }
}

const apply = async (file: string, damages: ReadonlyArray<Damage>) => {
  const { makeRandom } = await import("../harness/random.ts")
  for (const damage of damages) {
    if (damage.kind === "row") {
      const random = makeRandom(damage.seed)
      try {
        const database = new DatabaseSync(file)
        try {
          const rows = database.prepare(`SELECT ${damage.column} AS value FROM ${damage.table}`).all()
          const row = rows[damage.seed % Math.max(1, rows.length)]
          if (row === undefined) continue
          database.prepare(`UPDATE ${damage.table} SET ${damage.column} = ? WHERE ${damage.column} = ?`).run(
            spoil(row["value"], damage.seed, random),
            row["value"] as string
          )
        } finally {
          database.close()
        }
      } catch {
        // It is damaged already, or the row would not be allowed.
      }
      continue
    }
    const bytes = readFileSync(file)
    if (damage.kind === "cut") writeFileSync(file, bytes.subarray(0, damage.at))
    else {
      bytes.set(damage.bytes.slice(0, Math.max(0, bytes.length - damage.at)), Math.min(damage.at, bytes.length))
      writeFileSync(file, bytes)
    }
  }
}

const journalErrors = new Set(["JournalCorrupt", "JournalUnusable", "JournalTooNew", "JournalFailed", "JournalLocked"])

export const target: Target<ReadonlyArray<Damage>> = {
  name: "journal",
  async start() {
    const folder = mkdtempSync(join(tmpdir(), "fastworker-fuzz-"))
    const whole = join(folder, "whole")
    const { close, run } = await open(write(whole))
    const bytes = readFileSync(whole)
    let made = 0
    return {
      async attempt(damages) {
        const file = join(folder, `journal${made++}`)
        writeFileSync(file, bytes)
        await apply(file, damages)
        const exit = await run(Effect.scoped(Effect.gen(function*() {
          const plane = yield* Effect.flatMap(start(file), (context) => Effect.provideContext(ControlPlane, context))
          // What was brought back can be looked at.
          yield* plane.stats
          yield* plane.list({ limit: 100 })
          yield* plane.history.list({})
          yield* plane.history.schedules
        })))
        for (const end of ["", "-wal", "-shm"]) rmSync(file + end, { force: true })
        if (Exit.isSuccess(exit)) return undefined
        const [reason] = exit.cause.reasons
        return reason?._tag === "Fail" && journalErrors.has(reason.error._tag)
          ? undefined
          : `not an error of the journal: ${String(exit.cause)}`
      },
      async stop() {
        await close()
        rmSync(folder, { recursive: true, force: true })
      }
    }
  },
  generate: damageOf,
  *simpler(damages) {
    for (let at = 0; at < damages.length && damages.length > 1; at++) yield damages.toSpliced(at, 1)
    for (const [at, damage] of damages.entries()) {
      if (damage.kind !== "bytes" || damage.bytes.length < 2) continue
      const half = Math.ceil(damage.bytes.length / 2)
      yield damages.with(at, { ...damage, bytes: damage.bytes.slice(0, half) })
      yield damages.with(at, { ...damage, at: damage.at + half, bytes: damage.bytes.slice(half) })
    }
  },
  print: (damages) => JSON.stringify(damages)
}
