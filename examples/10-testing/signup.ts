/** A program that submits tasks, as any of yours. */
import { Effect, Schema } from "effect"
import { Task } from "fastworker"
import type { FastWorker } from "fastworker/promise"

export const outbox: Array<string> = []

export const sendMail = Task.define("sendMail", {
  args: { to: Schema.String, subject: Schema.String },
  run: ({ subject, to }) => Effect.sync(() => void outbox.push(`${to}: ${subject}`))
})

/** Welcomes a new user at once, and asks how it goes after three days. */
export const signUp = async (fw: Pick<FastWorker, "delay">, to: string) => {
  await fw.delay(sendMail, { to, subject: "Welcome" })
  await fw.delay(sendMail, { to, subject: "How is it going?" }, { in: "3 days", tags: ["follow-up"] })
}
