/** The handler, for the processes that run tasks. Exported as a layer, `fastworker worker --tasks tasks.ts` loads it. */
import { DateTime, Effect, Layer } from "effect"
import { MailRejected, sendEmail } from "./definitions.ts"
import { Mailer } from "./Mailer.ts"

/** Still needs a `Mailer`: tests may give it another one. */
export const handler = sendEmail.toLayer(Effect.gen(function*() {
  // Runs once for each process, before the first task.
  const mailer = yield* Mailer
  return Effect.fnUntraced(function*({ subject, to }) {
    const code = yield* mailer.send({ subject, to })
    if (code >= 400) return yield* new MailRejected({ to, code })
    return { acceptedAt: yield* DateTime.nowAsDate }
  })
}))

export default handler.pipe(Layer.provide(Mailer.layerConsole))
