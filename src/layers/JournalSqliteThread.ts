/**
 * The journal's thread: reads and writes the file, so that waiting for the disk holds nobody up. Each batch is one
 * transaction. Batches, failures and who is told of them are the business of the other side, `JournalSqlite.ts`.
 *
 * @since 0.1.0
 */
import type { DatabaseSync } from "node:sqlite"
import { type MessagePort, parentPort, workerData } from "node:worker_threads"
import type { JournalBounds, JournalKind } from "../services/Journal.ts"
import { applicationId, faulty, open, toFault } from "./JournalFile.ts"
import type { Answer, Pack, PackReader, Request } from "./JournalMessage.ts"
import { makeReader, makeWriter, Op, Row } from "./JournalMessage.ts"

/** Expired outcomes that one transaction drops, at most. */
const expirySlice = 1000

/** Time between two looks for expired outcomes. */
const expiryMillis = 1000

/** Bytes of a message with rows, about. */
const rowsBytes = 4 * 1024 * 1024

/** What a table of rows that are dropped from the front amounts to. */
interface Total {
  readonly count: number
  readonly bytes: number
}

interface Fresh {
  readonly args: Uint8Array
  readonly record: string
  state: string
}

interface Sized {
  readonly seq: number
  readonly size: number
}

const plus = ({ bytes, count }: Total, rows: ReadonlyArray<Pick<Sized, "size">>): Total => ({
  count: count + rows.length,
  bytes: rows.reduce((sum, { size }) => sum + size, bytes)
})

const minus = ({ bytes, count }: Total, rows: ReadonlyArray<Pick<Sized, "size">>): Total => ({
  count: count - rows.length,
  bytes: rows.reduce((sum, { size }) => sum - size, bytes)
})

/** The rows of a query, one at a time. */
const each = <A>(database: DatabaseSync, sql: string, ...values: ReadonlyArray<number>) =>
  database.prepare(sql).iterate(...values) as unknown as Iterable<A>

/** Keeps a table that is only appended to within its bounds. */
const makeTrim = (database: DatabaseSync, table: "outcome" | "dead") => {
  const front = database.prepare(
    `SELECT max(seq) AS seq, sum(size) AS size FROM (SELECT seq, size FROM ${table} ORDER BY seq LIMIT ?)`
  )
  const oldest = database.prepare(`SELECT seq, size FROM ${table} ORDER BY seq`)
  const dropTo = database.prepare(`DELETE FROM ${table} WHERE seq <= ?`)
  return (total: Total, maxCount: number, maxBytes: number): Total => {
    let { bytes, count } = total
    // By count in one step, for that is what happens all the time; by bytes row by row.
    if (count > maxCount) {
      const { seq, size } = front.get(count - maxCount) as unknown as Sized
      dropTo.run(seq)
      count = maxCount
      bytes -= size
    }
    if (bytes > maxBytes) {
      let last = 0
      for (const { seq, size } of oldest.iterate() as unknown as Iterable<Sized>) {
        last = seq
        count--
        bytes -= size
        if (bytes <= maxBytes) break
      }
      dropTo.run(last)
    }
    return { bytes, count }
  }
}

const total = (database: DatabaseSync, table: "outcome" | "dead"): Total => {
  const row = database.prepare(`SELECT count(*) AS count, ifnull(sum(size), 0) AS bytes FROM ${table}`).get() ?? {}
  return { count: Number(row["count"]), bytes: Number(row["bytes"]) }
}

/** Writes batches. A batch that fails leaves nothing of itself behind. */
const makeCommit = (database: DatabaseSync) => {
  const begin = database.prepare("BEGIN IMMEDIATE")
  const commit = database.prepare("COMMIT")
  const accept = database.prepare("INSERT OR REPLACE INTO task (id, args, record, state) VALUES (?, ?, ?, ?)")
  const change = database.prepare("UPDATE task SET state = ? WHERE id = ?")
  const checkpoint = database.prepare("UPDATE task SET checkpoint = ? WHERE id = ?")
  const find = database.prepare("SELECT 1 FROM task WHERE id = ?")
  const end = database.prepare("DELETE FROM task WHERE id = ?")
  const conclude = database.prepare("INSERT INTO outcome (id, record, body, keep_until, size) VALUES (?, ?, ?, ?, ?)")
  const forget = database.prepare("DELETE FROM dead WHERE id = ? RETURNING size")
  const bury = database.prepare(
    `INSERT INTO dead (id, args, record, outcome, body, size)
     SELECT id, args, record, ?, ?, length(args) + length(record) + ? FROM task WHERE id = ? RETURNING size`
  )
  const put = database.prepare("INSERT OR REPLACE INTO value (kind, key, value) VALUES (?, ?, ?)")
  const remove = database.prepare("DELETE FROM value WHERE kind = ? AND key = ?")
  const expire = database.prepare(
    `DELETE FROM outcome WHERE keep_until <= ?
     AND seq <= (SELECT max(seq) FROM (SELECT seq FROM outcome ORDER BY seq LIMIT ${expirySlice})) RETURNING size`
  )
  const trimOutcomes = makeTrim(database, "outcome")
  const trimDead = makeTrim(database, "dead")
  const sized = (rows: unknown) => rows as ReadonlyArray<Sized>

  let outcomes = total(database, "outcome")
  let dead = total(database, "dead")
  let expiredAt = 0

  /** Accepted by this batch, not in the table yet: most tasks change, and many end, in the batch that accepts them. */
  const fresh = new Map<string, Fresh>()
  const writeFresh = () => {
    for (const [id, { args, record, state }] of fresh) accept.run(id, args, record, state)
    fresh.clear()
  }

  const apply = (cells: PackReader) => {
    const op = cells.number()
    switch (op) {
      case Op.accepted: {
        const id = cells.text()
        // One with this id that is there already comes before it and goes, in the table as well as here.
        fresh.delete(id)
        fresh.set(id, { args: cells.bytes(), record: cells.text(), state: cells.text() })
        break
      }
      case Op.changed: {
        const id = cells.text()
        const state = cells.text()
        const task = fresh.get(id)
        if (task === undefined) change.run(state, id)
        else task.state = state
        break
      }
      case Op.checkpoint: {
        const id = cells.text()
        if (fresh.has(id)) writeFresh()
        checkpoint.run(cells.bytes(), id)
        break
      }
      case Op.finished:
      case Op.died: {
        const id = cells.text()
        const record = cells.text()
        const body = cells.bytes()
        const keepUntil = cells.number()
        const size = record.length + body.length
        if (op === Op.died) {
          if (fresh.has(id)) writeFresh()
          // One that is dead already goes when there is another with its id, and not for a task that there is not.
          if (find.get(id) !== undefined) dead = minus(dead, sized(forget.all(id)))
          dead = plus(dead, sized(bury.all(record, body, size, id)))
        }
        const isFresh = fresh.delete(id)
        // Its acceptance may have been refused: then there is no such task, and no outcome.
        if (end.run(id).changes === 0 && !isFresh) break
        conclude.run(id, record, body, keepUntil, size)
        outcomes = plus(outcomes, [{ size }])
        break
      }
      case Op.ended: {
        const id = cells.text()
        fresh.delete(id)
        end.run(id)
        break
      }
      case Op.forgotten:
        dead = minus(dead, sized(forget.all(cells.text())))
        break
      case Op.put:
        put.run(cells.text(), cells.text(), cells.text())
        break
      case Op.remove:
        remove.run(cells.text(), cells.text())
        break
    }
  }

  const attempt = (pack: Pack, bounds: JournalBounds | undefined, now: number) => {
    const before = { outcomes, dead, expiredAt }
    try {
      begin.run()
      const cells = makeReader(pack)
      // Nothing to store: the other side asks whether storing works again. This writes a page in any case.
      if (cells.isDone()) database.exec(`PRAGMA application_id = ${applicationId}`)
      while (!cells.isDone()) apply(cells)
      writeFresh()
      if (now - expiredAt >= expiryMillis) {
        const rows = sized(expire.all(now))
        outcomes = minus(outcomes, rows)
        // Where a whole slice was past its time, there are likely more.
        if (rows.length < expirySlice) expiredAt = now
      }
      if (bounds !== undefined) {
        outcomes = trimOutcomes(outcomes, bounds.maxOutcomes, bounds.maxOutcomeBytes)
        dead = trimDead(dead, bounds.maxDead, bounds.maxDeadBytes)
      }
      commit.run()
    } catch (error) {
      fresh.clear()
      if (database.isTransaction) database.exec("ROLLBACK")
      outcomes = before.outcomes
      dead = before.dead
      expiredAt = before.expiredAt
      throw error
    }
  }

  return (pack: Pack, bounds: JournalBounds | undefined, now: number) => {
    try {
      attempt(pack, bounds, now)
    } catch {
      // The log may be what fills the disk: once it is copied into the file, its space is there for this batch. Where
      // that fails too, the second attempt says what is wrong.
      try {
        database.exec("PRAGMA wal_checkpoint(TRUNCATE)")
      } catch {}
      attempt(pack, bounds, now)
    }
  }
}

const kinds: ReadonlySet<string> = new Set<JournalKind>(["schedule", "pause", "unique"])

const damaged = (what: string): never => {
  throw faulty("JournalCorrupt", `it is damaged (what stands in the place of ${what} is none)`)
}

/** Reads everything, in messages of a few megabytes. */
const load = (database: DatabaseSync, bounds: JournalBounds, now: number, send: (pack: Pack) => void) => {
  let rows = makeWriter()
  const next = (row: number) => {
    if (rows.size() >= rowsBytes) {
      send(rows.done())
      rows = makeWriter()
    }
    rows.number(row)
  }
  // A table takes any type in any column, and so does a damaged page of the file.
  const text = (value: string) => typeof value === "string" ? rows.text(value) : damaged("a text")
  const bytes = (value: Uint8Array) => value instanceof Uint8Array ? rows.bytes(value) : damaged("bytes")
  const number = (value: number) => Number.isFinite(value) ? rows.number(value) : damaged("a number")

  for (const task of each<Columns>(database, "SELECT id, args, record, state, checkpoint FROM task ORDER BY seq")) {
    next(task.checkpoint === null ? Row.task : Row.checkpointed)
    text(task.id)
    bytes(task.args)
    text(task.record)
    text(task.state)
    if (task.checkpoint !== null) bytes(task.checkpoint)
  }

  const seen = new Set<string>()
  let kept = 0
  const newest = "SELECT id, record, body, keep_until, size FROM outcome WHERE keep_until > ? ORDER BY seq DESC"
  for (const outcome of each<Columns>(database, newest, now)) {
    if (seen.has(outcome.id)) continue
    kept += outcome.size
    if (seen.size >= bounds.maxOutcomes || kept > bounds.maxOutcomeBytes) break
    seen.add(outcome.id)
    next(Row.outcome)
    text(outcome.id)
    text(outcome.record)
    bytes(outcome.body)
    number(outcome.keep_until)
  }

  // What a lower bound than before leaves out is dropped by the first commit.
  let left = total(database, "dead")
  for (const task of each<Columns>(database, "SELECT id, args, record, outcome, body, size FROM dead ORDER BY seq")) {
    const isWithin = left.count <= bounds.maxDead && left.bytes <= bounds.maxDeadBytes
    left = minus(left, [task])
    if (!isWithin) continue
    next(Row.dead)
    text(task.id)
    bytes(task.args)
    text(task.record)
    text(task.outcome)
    bytes(task.body)
  }

  for (const { key, kind, value } of each<Columns>(database, "SELECT kind, key, value FROM value")) {
    if (!kinds.has(kind)) damaged("a kind of value")
    next(Row.value)
    text(kind)
    text(key)
    text(value)
  }
  send(rows.done())
}

/** The columns of all tables; each query has some of them. */
interface Columns {
  readonly id: string
  readonly args: Uint8Array
  readonly record: string
  readonly state: string
  readonly checkpoint: Uint8Array | null
  readonly outcome: string
  readonly body: Uint8Array
  readonly keep_until: number
  readonly size: number
  readonly kind: string
  readonly key: string
  readonly value: string
}

const serve = (port: MessagePort, file: string) => {
  const answer = (message: Answer) => port.postMessage(message)
  const sendRows = (pack: Pack) => port.postMessage({ type: "rows", pack } satisfies Answer, [pack.bytes.buffer])
  const orFault = (body: () => void) => {
    try {
      body()
    } catch (error) {
      answer({ type: "fault", fault: toFault(error) })
    }
  }

  orFault(() => {
    const database = open(file)
    const commit = makeCommit(database)
    let bounds: JournalBounds | undefined
    port.on("message", (request: Request) =>
      orFault(() => {
        switch (request.type) {
          case "load":
            bounds = request.bounds
            load(database, request.bounds, request.now, sendRows)
            return answer({ type: "loaded" })
          case "commit":
            commit(request.pack, bounds, request.now)
            return answer({ type: "committed" })
          case "close":
            database.close()
            return port.close()
        }
      }))
    answer({ type: "opened" })
  })
}

if (parentPort !== null) serve(parentPort, workerData as string)
