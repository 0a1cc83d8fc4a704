/**
 * The journal's file: an SQLite database. Owns its format and the migrations to it, how it is opened, what opening can
 * fail with, how it is checked and compacted. Works synchronously and without Effect: it runs in the journal's thread
 * and in the commands.
 *
 * @since 0.1.0
 */
import { accessSync, closeSync, constants, existsSync, openSync, statSync } from "node:fs"
import { resolve } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import { pathToFileURL } from "node:url"

/**
 * Marks an SQLite database as a journal of FastWorker ("FWJ1").
 *
 * @category constants
 * @since 0.1.0
 */
export const applicationId = 0x46_57_4a_31

/**
 * The statements that lead from each version of the format to the next one; the first make version 1 of an empty file.
 *
 * @category constants
 * @since 0.1.0
 */
export const migrations: ReadonlyArray<string> = [
  // `seq` is the order of arrival. Outcomes have no index by id: they are only appended, dropped from the front, and read
  // at start, and an index of random ids would cost more than the rest of an outcome.
  `
  CREATE TABLE task (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, args BLOB NOT NULL, record TEXT NOT NULL, state TEXT NOT NULL,
    checkpoint BLOB
  );
  CREATE TABLE outcome (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, record TEXT NOT NULL, body BLOB NOT NULL, keep_until REAL NOT NULL,
    size INTEGER NOT NULL
  );
  CREATE TABLE dead (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, args BLOB NOT NULL, record TEXT NOT NULL, outcome TEXT NOT NULL,
    body BLOB NOT NULL, size INTEGER NOT NULL
  );
  CREATE TABLE value (kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
  `
]

/**
 * Why a file can't be used; becomes the error of the same name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fault {
  readonly fault: "JournalLocked" | "JournalCorrupt" | "JournalTooNew" | "JournalUnusable" | "JournalFailed"
  readonly reason: string
  /** Version of the file's format, where that is the reason. */
  readonly version: number
}

/**
 * Creates the exception that {@link toFault} takes for this fault.
 *
 * @category constructors
 * @since 0.1.0
 */
export const faulty = (fault: Fault["fault"], reason: string, version = 0) =>
  new Error(reason, { cause: { fault, reason, version } satisfies Fault })

const unusable: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist",
  ENOTDIR: "its folder is a file",
  EACCES: "this user has no permission",
  EPERM: "this user has no permission",
  EROFS: "the file system is read-only"
}

/**
 * What an exception means for the user of the file.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toFault = (error: unknown): Fault => {
  const { cause, code = "", errcode = 0, message } = error as Error & {
    readonly code?: string
    readonly errcode?: number
  }
  if (typeof cause === "object" && cause !== null && "fault" in cause) return cause as Fault
  const fault = (fault: Fault["fault"], reason: string): Fault => ({ fault, reason, version: 0 })
  if (code === "ENOSPC") return fault("JournalFailed", "the disk is full")
  if (code in unusable) return fault("JournalUnusable", unusable[code] as string)
  // The upper bits tell variants of the same result code, see https://www.sqlite.org/rescode.html.
  switch (errcode & 0xff) {
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return fault("JournalLocked", "it is in use")
    case 11: // SQLITE_CORRUPT
      return fault("JournalCorrupt", "it is damaged")
    case 26: // SQLITE_NOTADB
      return fault("JournalCorrupt", "it is not an SQLite database")
    case 13: // SQLITE_FULL
      return fault("JournalFailed", "the disk is full")
    case 8: // SQLITE_READONLY
    case 14: // SQLITE_CANTOPEN
      return fault("JournalUnusable", message)
    default:
      return fault("JournalFailed", message)
  }
}

/**
 * Runs `body` without the warning that SQLite is experimental, which some versions of Node print when it is loaded and
 * which says nothing to our users. Every other warning passes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const withoutSqliteWarning = <A>(body: () => A): A => {
  // It is called as a method all the same, and must be put back as it was.
  // oxlint-disable-next-line typescript/unbound-method
  const { emitWarning } = process
  const filtered = (warning: string | Error, ...rest: ReadonlyArray<unknown>) => {
    const isAboutSqlite = String(warning).includes("SQLite") && rest[0] === "ExperimentalWarning"
    if (!isAboutSqlite) Reflect.apply(emitWarning, process, [warning, ...rest])
  }
  process.emitWarning = filtered
  try {
    return body()
  } finally {
    process.emitWarning = emitWarning
  }
}

/** Loads SQLite when it is needed: most processes never do. */
const sqlite = () => withoutSqliteWarning(() => process.getBuiltinModule("node:sqlite"))

const integer = (database: DatabaseSync, sql: string): number => {
  const row = database.prepare(sql).get() ?? {}
  return Number(Object.values(row)[0])
}

/**
 * Brings the format of an open database up to date, in the transaction that is open. Leaves what is up to date alone.
 *
 * @category constructors
 * @since 0.1.0
 */
export const migrate = (database: DatabaseSync, steps: ReadonlyArray<string> = migrations): void => {
  const version = versionOf(database)
  if (version > steps.length) throw faulty("JournalTooNew", "a newer version of FastWorker wrote it", version)
  if (version === steps.length) return
  for (const step of steps.slice(version)) database.exec(step)
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${steps.length}`)
}

/** Version of the format, 0 for an empty file; what is not a journal is refused. */
const versionOf = (database: DatabaseSync): number => {
  const isOurs = integer(database, "PRAGMA application_id") === applicationId
  if (!isOurs && integer(database, "SELECT count(*) FROM sqlite_schema") > 0) {
    throw faulty("JournalUnusable", "it is a database of something else")
  }
  return isOurs ? integer(database, "PRAGMA user_version") : 0
}

const requireFile = (file: string) => {
  if (!existsSync(file)) throw faulty("JournalUnusable", "there is no such file")
  if (!statSync(file).isFile()) throw faulty("JournalUnusable", "it is not a file")
}

/**
 * Opens a journal for this process alone, until the process ends or closes it, and creates it when there is none.
 * Commits are on disk when they return.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = (file: string, steps?: ReadonlyArray<string>): DatabaseSync => {
  try {
    // SQLite would make it readable for all. An existing file is not opened here: closing it would end the locks that
    // this process may have on it already.
    closeSync(openSync(file, "wx", 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  }
  requireFile(file)
  // SQLite would open it for reading, and fail at the first write.
  accessSync(file, constants.W_OK)
  const database = new (sqlite().DatabaseSync)(file)
  try {
    // The lock comes first: nothing is read or written of a file that another process may be creating, or using.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
    migrate(database, steps)
    database.exec("COMMIT; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    // Where fsync alone leaves data in the drive's cache (macOS); nothing elsewhere.
    database.exec("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON")
    // 16 MiB of log before it is copied into the file; what a large commit made it grow to beyond is given back.
    database.exec("PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -32768")
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * What a check found.
 *
 * @category models
 * @since 0.1.0
 */
export interface CheckReport {
  readonly version: number
  /** Of the file and its log. */
  readonly bytes: number
  /** Rows of each kind. */
  readonly counts: Readonly<Record<"tasks" | "outcomes" | "dead" | "schedules" | "pauses" | "unique", number>>
  /** One sentence each; at most 100 of a kind. */
  readonly problems: ReadonlyArray<string>
}

const sizeOf = (file: string) => existsSync(file) ? statSync(file).size : 0
const bytesOf = (file: string) => sizeOf(file) + sizeOf(`${file}-wal`)

const hasLog = (file: string) => existsSync(`${file}-wal`)

const openReadOnly = (file: string, isImmutable: boolean): DatabaseSync => {
  accessSync(file, constants.R_OK)
  const url = pathToFileURL(resolve(file))
  if (isImmutable) url.search = "?immutable=1"
  return new (sqlite().DatabaseSync)(url, { readOnly: true })
}

const countQueries = {
  tasks: "SELECT count(*) FROM task",
  outcomes: "SELECT count(*) FROM outcome",
  dead: "SELECT count(*) FROM dead",
  schedules: "SELECT count(*) FROM value WHERE kind = 'schedule'",
  pauses: "SELECT count(*) FROM value WHERE kind = 'pause'",
  unique: "SELECT count(*) FROM value WHERE kind = 'unique'"
}

const jsonColumns = [
  ["task", "id", "record"],
  ["task", "id", "state"],
  ["outcome", "id", "record"],
  ["dead", "id", "record"],
  ["dead", "id", "outcome"],
  ["value", "kind || ' ' || key", "value"]
] as const

/**
 * Reads all of a journal without changing it. A journal that another process has open is a fault, not a problem.
 *
 * @category constructors
 * @since 0.1.0
 */
export const check = (file: string): CheckReport => {
  requireFile(file)
  const problems: Array<string> = []
  const counts = { tasks: 0, outcomes: 0, dead: 0, schedules: 0, pauses: 0, unique: 0 }
  let version = 0
  // Without a log nobody has it open and nothing has to be recovered: it is read as it lies there, since opening it in
  // the ordinary way would leave an empty log behind.
  const isImmutable = !hasLog(file)
  const database = openReadOnly(file, isImmutable)
  /** Damage in one place must not hide what the others have. */
  const attempt = (what: string, body: () => void) => {
    try {
      body()
    } catch (error) {
      const { fault, reason } = toFault(error)
      if (fault !== "JournalCorrupt") throw error
      problems.push(`${what}: ${reason}`)
    }
  }
  try {
    attempt("header", () => {
      version = versionOf(database)
      if (version > migrations.length) {
        throw faulty("JournalTooNew", "a newer version of FastWorker wrote it", version)
      }
      if (version === 0) throw faulty("JournalCorrupt", "it is empty")
    })
    if (version > 0) {
      attempt("structure", () => {
        for (const row of database.prepare("PRAGMA integrity_check").all()) {
          const text = String(row["integrity_check"])
          if (text !== "ok") problems.push(`structure: ${text.replaceAll("\n", " ")}`)
        }
      })
      for (const [name, sql] of Object.entries(countQueries)) {
        attempt(name, () => (counts[name as keyof typeof counts] = integer(database, sql)))
      }
      for (const [table, key, column] of jsonColumns) {
        attempt(`${table}.${column}`, () => {
          const query = database.prepare(`SELECT ${key} AS id FROM ${table} WHERE NOT json_valid(${column}) LIMIT 100`)
          for (const { id } of query.all()) problems.push(`${table} ${String(id)}: its ${column} is not JSON`)
        })
      }
    }
    // Somebody began to use it meanwhile: what was read may be of different moments.
    if (isImmutable && hasLog(file)) throw faulty("JournalLocked", "it is in use")
    return { version, bytes: bytesOf(file), counts, problems }
  } finally {
    database.close()
  }
}

/**
 * Drops the outcomes that are past their time and gives the space of all that was dropped back. Needs as much free space
 * as the file has contents, for as long as it runs.
 *
 * @category constructors
 * @since 0.1.0
 */
export const compact = (file: string, now: number) => {
  requireFile(file)
  const before = bytesOf(file)
  const database = open(file)
  try {
    const { changes } = database.prepare("DELETE FROM outcome WHERE keep_until <= ?").run(now)
    database.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
    return { expired: Number(changes), before, after: bytesOf(file) }
  } finally {
    database.close()
  }
}
