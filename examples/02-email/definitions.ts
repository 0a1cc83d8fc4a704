/** The contract between whoever submits and whoever runs: all that a client imports. */
import { Schema } from "effect"
import { Task } from "fastworker"

export class MailRejected extends Schema.TaggedError<MailRejected>()("MailRejected", {
  to: Schema.String,
  code: Schema.Int
}) {}

const Address = Schema.String.check(Schema.isPattern(/^[^@\s]+@[^@\s]+$/u, { expected: "a mail address" }))

export const sendEmail = Task.make("sendEmail", {
  description: "Sends one mail",
  args: { to: Address, subject: Schema.String },
  success: Schema.Struct({ acceptedAt: Schema.Date }),
  error: MailRejected,
  priority: "high"
})
