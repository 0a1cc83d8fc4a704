/** The tasks of a small shop: what they do is said in their arguments, so that tests know what becomes of them. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Task } from "fastworker"

class PaymentDeclined extends Schema.TaggedError<PaymentDeclined>()("PaymentDeclined", {
  invoice: Schema.String,
  message: Schema.String
}) {}

class PartnerTimeout extends Schema.TaggedError<PartnerTimeout>()("PartnerTimeout", { message: Schema.String }) {}

const takes = (millis = 20) => Effect.sleep(millis)
const Millis = Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 600_000 })))

export const mail = Task.define("email.send", {
  description: "Sends one mail from a template. It is tried again while the mail server is away.",
  priority: "high",
  args: {
    to: Schema.String.annotate({ description: "Address of the receiver" }),
    template: Schema.Literals(["welcome", "invoice", "reminder"]),
    millis: Millis
  },
  success: Schema.Struct({ messageId: Schema.String }),
  run: ({ millis, to }) => Effect.as(takes(millis), { messageId: `<1@${to}>` })
})

export const webhook = Task.define("webhook.deliver", {
  description: "Delivers an event to the endpoint of a partner",
  args: { endpoint: Schema.String, event: Schema.Struct({ id: Schema.String, type: Schema.String }), millis: Millis },
  error: PartnerTimeout,
  timeout: "30 seconds",
  retry: { attempts: 2 },
  run: ({ endpoint, event, millis }) =>
    Effect.andThen(
      takes(millis),
      endpoint.includes("down")
        ? Effect.fail(new PartnerTimeout({ message: `The endpoint did not answer event ${event.id}` }))
        : Effect.void
    )
})

export const charge = Task.define("billing.charge_invoice", {
  description: "Charges an invoice to the card of its customer",
  priority: "critical",
  args: { invoice: Schema.String, cents: Schema.Int, millis: Millis },
  success: Schema.Struct({ receipt: Schema.String }),
  error: PaymentDeclined,
  limits: { concurrency: 4 },
  run: ({ cents, invoice, millis }) =>
    Effect.andThen(
      takes(millis),
      cents < 0
        ? Effect.fail(new PaymentDeclined({ invoice, message: "The card was declined: insufficient funds" }))
        : Effect.succeed({ receipt: `R-${invoice}` })
    )
})

export const transcode = Task.define("media.transcode", {
  description: "Makes the smaller versions of a video",
  args: { file: Schema.String, millis: Millis },
  progress: Schema.Finite,
  run: ({ millis }, task) => {
    task.progress(0.4)
    return takes(millis ?? 600_000)
  }
})

export const rollup = Task.define("report.rollup", { priority: "low", run: () => takes(40) })
export const prune = Task.define("cache.prune", { priority: "low", run: () => takes(10) })

export const nightly = Task.cron(rollup, "0 2 * * *", { id: "nightly-rollup", timeZone: "Europe/Berlin" })
export const often = Task.every(prune, "10 seconds", { id: "cache-prune" })
export const reminders = Task.cron(mail, "30 9 * * 1-5", {
  id: "reminders",
  args: { to: "team@example.com", template: "reminder" },
  tags: ["team"]
})
