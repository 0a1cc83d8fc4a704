import { makeTestQueue } from "fastworker/testing"
import assert from "node:assert/strict"
import { outbox, sendMail, signUp } from "./signup.ts"

// In your tests this stands in a `test(...)` of your runner.
await using queue = await makeTestQueue([sendMail])

await signUp(queue.client, "ann@example.org")

// What was submitted, with which arguments and options; nothing has run.
const [welcome, followUp] = queue.enqueued(sendMail)
assert.deepEqual(welcome?.args, { to: "ann@example.org", subject: "Welcome" })
assert.deepEqual(followUp?.options, { in: "3 days", tags: ["follow-up"] })
assert.deepEqual(outbox, [])
console.log("submitted:", queue.enqueued(sendMail).map(({ args }) => args.subject))

// Run what is due.
await queue.drain()
assert.deepEqual(outbox, ["ann@example.org: Welcome"])
console.log("sent:", outbox)

// Arguments are checked as in production.
await assert.rejects(
  queue.client.delay(sendMail, { to: 7 as never, subject: "" }),
  { _tag: "InvalidArguments" }
)
console.log("refused: a number is no address")
