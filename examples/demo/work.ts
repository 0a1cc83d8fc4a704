/** What the demo submits, and how it checks afterwards that it was really done. */
import { Effect, Result } from "effect"
import type { ConnectedClient } from "fastworker"
import { createHash } from "node:crypto"
import { readFile, stat } from "node:fs/promises"
import { basename, join } from "node:path"
import sharp from "sharp"
import { digestFile, MailRejected, makeThumbnail, sendEmail } from "./definitions.ts"
import { refused } from "./MailServer.ts"

interface Failure {
  readonly _tag: string
  readonly message: string
}

/** How one task ended. */
export interface Outcome {
  readonly failure: Failure | undefined
  /** Looks at what was done; resolves with what is wrong with it, if anything is. */
  readonly check: () => Promise<string | undefined>
}

/** One task to submit; `run` succeeds when its outcome is known. */
export interface Job {
  readonly task: string
  readonly priority: string
  readonly run: Effect.Effect<Outcome>
}

const outcomeOf = <Success, Error extends Failure>(
  run: Effect.Effect<Success, Error>,
  check: (result: Result.Result<Success, Error>) => string | undefined | Promise<string | undefined>
): Effect.Effect<Outcome> =>
  Effect.map(Effect.result(run), (result) => ({
    failure: Result.isFailure(result) ? result.failure : undefined,
    check: async () => check(result)
  }))

const mailCount = 200
const widths = [64, 128, 256, 512]
/** Of the digests, one in this many is computed a second time here. */
const sample = 10
/** When this process began, in milliseconds since 1970. */
const began = performance.timeOrigin

/** One mail in ten is for nobody, and one in twenty for a full mailbox. */
const domainOf = (n: number) => n % 10 === 7 ? "gone.example" : n % 20 === 13 ? "full.example" : "example.org"

/** Mails, one in ten of them urgent. */
export const mails = (client: ConnectedClient): ReadonlyArray<Job> =>
  Array.from({ length: mailCount }, (_, n): Job => {
    const domain = domainOf(n)
    const to = `customer-${n}@${domain}`
    const [priority, subject] = n % 10 === 0 ? ["critical", "Reset your password"] as const : ["high", "Order"] as const
    const run = client.run(sendEmail, { to, subject, text: `Dear customer ${n},` }, { priority })
    return {
      task: sendEmail.name,
      priority,
      run: outcomeOf(run, (result) => {
        if (domain === "example.org") return Result.isSuccess(result) ? undefined : `${to} did not get a mail`
        // What arrives is an instance of the class that the definition names, with its fields.
        return Result.isFailure(result) && result.failure instanceof MailRejected && result.failure.to === to &&
            result.failure.code === refused[domain]
          ? undefined
          : `${to} was not refused as it should be`
      })
    }
  })

/** Each photo in several widths. */
export const thumbnails = (
  client: ConnectedClient,
  { folder, photos }: { readonly photos: ReadonlyArray<string>; readonly folder: string }
): ReadonlyArray<Job> =>
  photos.flatMap((path, n) =>
    widths.map((width): Job => {
      const target = join(folder, `${n}-${basename(path)}-${width}.jpg`)
      const run = client.run(makeThumbnail, { path, target, width })
      return {
        task: makeThumbnail.name,
        priority: "normal",
        run: outcomeOf(run, async (result) => {
          if (Result.isFailure(result)) return undefined
          const found = await sharp(target).metadata().catch(() => undefined)
          const { height, width: made } = result.success
          return found?.format === "jpeg" && found.width === made && found.height === height && made <= width
            ? undefined
            : `${target} is not the thumbnail that was reported`
        })
      }
    })
  )

export const digests = (client: ConnectedClient, files: ReadonlyArray<string>): ReadonlyArray<Job> =>
  files.map((path, n): Job => ({
    task: digestFile.name,
    priority: "low",
    run: outcomeOf(client.run(digestFile, { path }), async (result) => {
      // A file that changes meanwhile has two digests.
      const isStable = (await stat(path)).mtimeMs < began
      if (n % sample !== 0 || Result.isFailure(result) || !isStable) return undefined
      const again = createHash("sha256").update(await readFile(path)).digest("hex")
      return again === result.success.sha256 ? undefined : `the digest of ${path} is wrong`
    })
  }))
