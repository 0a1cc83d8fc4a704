/** Tasks for the dashboard's tests: each ends as its name says. */
import * as Effect from "effect/Effect"
import { Task } from "fastworker"

export const succeed = Task.define("mail.send", { description: "Sends one mail", run: () => Effect.void })

export const fail = Task.define("invoice.charge", {
  description: "Charges a card",
  run: () => Effect.die(new Error("The card was declined"))
})

export const hold = Task.define("video.encode", { priority: "high", run: () => Effect.never })
