/** The handlers, for the workers: nodemailer and sharp are loaded there and nowhere else. */
import { Config, Effect } from "effect"
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { pipeline } from "node:stream/promises"
import { createTransport } from "nodemailer"
import sharp from "sharp"
import { digestFile, FileUnreadable, MailRejected, makeThumbnail, NotAPicture, sendEmail } from "./definitions.ts"

/** The code of a mail server that refused for good or for now; anything else that goes wrong is not the caller's. */
const replyCode = (cause: unknown) => (cause as { readonly responseCode?: number }).responseCode

export const email = sendEmail.toLayer(Effect.gen(function*() {
  // Built once for each worker, closed when it stops.
  const url = yield* Config.String("SMTP_URL")
  const transport = yield* Effect.acquireRelease(
    Effect.sync(() => createTransport({ pool: true, url, ignoreTLS: true }, { from: "demo@example.org" })),
    (transport) => Effect.sync(() => transport.close())
  )
  return (mail) =>
    Effect.tryPromise(() => transport.sendMail(mail)).pipe(
      Effect.map(({ messageId }) => ({ messageId })),
      Effect.catch(({ cause }) => {
        const code = replyCode(cause)
        return code === undefined ? Effect.die(cause) : Effect.fail(new MailRejected({ to: mail.to, code }))
      })
    )
}))

export const thumbnail = makeThumbnail.toLayer(({ path, target, width }) =>
  Effect.tryPromise({
    try: () => sharp(path).rotate().resize({ width, withoutEnlargement: true }).jpeg().toFile(target),
    catch: () => new NotAPicture({ path })
  }).pipe(Effect.map(({ height, size, width }) => ({ width, height, bytes: size })))
)

export const digest = digestFile.toLayer(({ path }) =>
  Effect.tryPromise({
    try: async () => {
      const hash = createHash("sha256")
      let bytes = 0
      await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          hash.update(chunk)
          bytes += chunk.length
        }
      })
      return { sha256: hash.digest("hex"), bytes }
    },
    catch: (cause) => new FileUnreadable({ path, code: (cause as NodeJS.ErrnoException).code ?? "unknown" })
  })
)
