/** A service of the application, as it would exist without a task queue too. */
import { Context, Effect, Layer } from "effect"

export interface Mail {
  readonly to: string
  readonly subject: string
}

export class Mailer extends Context.Service<Mailer, {
  /** Sends a mail; succeeds with the reply code of the mail server. */
  readonly send: (mail: Mail) => Effect.Effect<number>
}>()("examples/Mailer") {
  /** Prints instead of sending, and knows nobody at `gone.example`. The demo has one that speaks SMTP. */
  static readonly layerConsole = Layer.succeed(Mailer, {
    send: ({ subject, to }) =>
      Effect.sync(() => {
        if (to.endsWith("@gone.example")) return 550
        console.log(`  mailer: "${subject}" for ${to}`)
        return 250
      })
  })
}
