/** The decoders of messages, of either side: they answer anything with a result, soon, and say little of what they got. */
import * as Result from "effect/Result"
import { Buffer } from "node:buffer"
import type { BadRequest, ProtocolMismatch } from "../../src/domain/Errors.ts"
import * as Message from "../../src/domain/Message.ts"
import * as Envelope from "../../src/layers/Envelope.ts"
import * as Reply from "../../src/layers/Reply.ts"
import type { Target } from "./Fuzz.ts"
import { clientHeaders, message, workerHeaders } from "./messages.ts"
import { mutateBytes, mutateJson, pick, printBytes, simplerBytes } from "./mutate.ts"

const maxMillis = 2_000
const maxErrorBytes = 64 * 1024

const replies = [
  Message.SubmitReply,
  Message.CollectReply,
  Message.ResultReply,
  Message.ExchangeReply,
  Message.RegisterReply,
  Message.EventsReply,
  Message.StatusReply
].map((schema) => Reply.decoder<unknown>(schema))

const replyHeaders: ReadonlyArray<unknown> = [
  {
    v: 1,
    epoch: "0".repeat(32),
    ids: ["a", null],
    refused: [{ index: 1, error: { _tag: "UnknownTask", task: "x", known: [], message: "m" } }]
  },
  {
    v: 1,
    epoch: "0".repeat(32),
    last: 1,
    outcomes: [{ id: "a", name: "n", state: "failed", reason: "error", attempt: 1, size: 2 }]
  },
  {
    v: 1,
    seq: 1,
    leases: [{ id: "a", attempt: 1, name: "n", size: 2, history: [{ attempt: 1, ago: 5, took: 5, reason: "lost" }] }]
  },
  { v: 1, error: { _tag: "QueueFull", waiting: 1, maxWaiting: 1, waitingBytes: 1, maxWaitingBytes: 1, message: "m" } }
]

type Decoded = Result.Result<Message.ClientRequest | Message.WorkerRequest, BadRequest | ProtocolMismatch>

/** Says what is wrong with how a decoder took it. */
const judge = (bytes: Buffer): string | undefined => {
  const began = performance.now()
  const envelope = Envelope.decode(bytes)
  const results: ReadonlyArray<Decoded> = Result.isFailure(envelope) ? [Result.fail(envelope.failure)] : [
    Message.decodeClientRequest(envelope.success.header),
    Message.decodeWorkerRequest(envelope.success.header)
  ]
  for (const result of results) {
    if (Result.isSuccess(result)) {
      const { success } = result
      const items = "tasks" in success && success.op === "submit"
        ? success.tasks
        : "reports" in success
        ? success.reports
        : []
      if (Result.isSuccess(envelope)) {
        const bodies = Envelope.bodies(envelope.success.body, items ?? [])
        const total = Result.isSuccess(bodies)
          ? bodies.success.reduce((sum, { length }) => sum + length, 0)
          : envelope.success.body.length
        if (total !== envelope.success.body.length) {
          return `the bodies have ${total} bytes of ${envelope.success.body.length}`
        }
      }
      continue
    }
    const { failure } = result
    if (failure._tag !== "BadRequest" && failure._tag !== "ProtocolMismatch") return "a failure of another kind"
    const size = Envelope.encodeError(failure).reduce((sum, part) => sum + Buffer.byteLength(part), 0)
    if (size > maxErrorBytes) return `the refusal has ${size} bytes, the message has ${bytes.length}`
  }
  for (const decode of replies) decode(bytes)
  const took = performance.now() - began
  return took > maxMillis ? `it took longer than ${maxMillis} ms, for ${bytes.length} bytes` : undefined
}

export const target: Target<Buffer> = {
  name: "envelope",
  start: () => Promise.resolve({ attempt: (bytes) => Promise.resolve(judge(bytes)), stop: () => Promise.resolve() }),
  generate(random) {
    if (random() < 0.7) return message(random, [...clientHeaders, ...workerHeaders])
    const reply = Buffer.from(`${JSON.stringify(mutateJson(random, pick(random, replyHeaders))) ?? ""}\n{}`)
    return random() < 0.3 ? mutateBytes(random, reply) : reply
  },
  simpler: simplerBytes,
  print: printBytes
}
