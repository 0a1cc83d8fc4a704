import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { maxBatch } from "../../src/domain/Batch.ts"
import { BadRequest, ProtocolMismatch, QueueFull, ReplyError, TaskNotFound } from "../../src/domain/Errors.ts"
import * as Message from "../../src/domain/Message.ts"

const session = "0123456789abcdef0123456789abcdef"
const v = 1

/** One valid header of each kind that clients send, with everything that may stand in it. */
const clientHeaders = {
  submit: {
    v,
    op: "submit",
    session,
    tasks: [{ name: "t" }, { id: "a", name: "grün", size: 0, priority: "high", watch: true }]
  },
  watch: { v, op: "watch", session, ids: ["a", "b"] },
  collect: { v, op: "collect", session, ack: 3, epoch: session, wait: 60_000 },
  result: { v, op: "result", id: "a", wait: 0 },
  status: { v, op: "status", ids: [] },
  cancel: { v, op: "cancel", id: "!~" },
  list: { v, op: "list", state: "queued", limit: 10_000 },
  workers: { v, op: "workers" },
  tasks: { v, op: "tasks" },
  stats: { v, op: "stats" }
}

const workerHeaders = {
  register: {
    v,
    op: "register",
    session,
    worker: "w-1",
    slots: 100_000,
    tasks: [{ name: "t", description: "d", priority: "low" }],
    held: [{ id: "a", attempt: 1 }],
    seq: 0,
    about: { host: "h", pid: 1, runtime: "node" }
  },
  exchange: {
    v,
    op: "exchange",
    session,
    seq: 1,
    settled: 0,
    abandoned: [1],
    free: 0,
    draining: true,
    held: [],
    reports: [
      { id: "a", attempt: 1, state: "succeeded", size: 2 },
      { id: "b", attempt: 2, state: "failed", reason: "error" },
      { id: "c", attempt: 3, state: "returned" }
    ]
  },
  beat: { v, op: "beat", session, lag: 0 },
  leave: { v, op: "leave", session, reports: [] }
}

type Change = readonly [field: string, change: Readonly<Record<string, unknown>>]

const long = (length: number) => "x".repeat(length)

/** What may not stand in a header, with the field that must be named. */
const wrongClient: Readonly<Record<keyof typeof clientHeaders, ReadonlyArray<Change>>> = {
  submit: [
    ["tasks", { tasks: undefined }],
    ["tasks", { tasks: "t" }],
    ["tasks", { tasks: Array.from({ length: maxBatch + 1 }, () => ({ name: "t" })) }],
    ["session", { session: "short" }],
    ["session", { session: session.toUpperCase() }],
    ["session", { session: 7 }],
    ["tasks.0.name", { tasks: [{}] }],
    ["tasks.0.name", { tasks: [{ name: "" }] }],
    ["tasks.0.name", { tasks: [{ name: long(129) }] }],
    ["tasks.0.name", { tasks: [{ name: "a\nb" }] }],
    ["tasks.1.id", { tasks: [{ name: "t" }, { name: "t", id: "" }] }],
    ["tasks.0.id", { tasks: [{ name: "t", id: "a b" }] }],
    ["tasks.0.id", { tasks: [{ name: "t", id: "ä" }] }],
    ["tasks.0.id", { tasks: [{ name: "t", id: long(129) }] }],
    ["tasks.0.id", { tasks: [{ name: "t", id: null }] }],
    ["tasks.0.size", { tasks: [{ name: "t", size: -1 }] }],
    ["tasks.0.size", { tasks: [{ name: "t", size: 1.5 }] }],
    ["tasks.0.size", { tasks: [{ name: "t", size: 1e300 }] }],
    ["tasks.0.size", { tasks: [{ name: "t", size: "1" }] }],
    ["tasks.0.priority", { tasks: [{ name: "t", priority: "urgent" }] }],
    ["tasks.0.priority", { tasks: [{ name: "t", priority: 0 }] }],
    ["tasks.0.watch", { tasks: [{ name: "t", watch: "yes" }] }],
    ["tasks.0", { tasks: [null] }]
  ],
  watch: [["session", { session: undefined }], ["ids.1", { ids: ["a", 7] }], ["ids", { ids: undefined }]],
  collect: [
    ["ack", { ack: -1 }],
    ["ack", { ack: undefined }],
    ["wait", { wait: Message.maxWaitMillis + 1 }],
    ["wait", { wait: -1 }],
    ["epoch", { epoch: "x" }]
  ],
  result: [["id", { id: undefined }], ["wait", { wait: 0.5 }]],
  status: [["ids", { ids: "a" }], ["ids.0", { ids: [""] }]],
  cancel: [["id", { id: {} }]],
  list: [["state", { state: "lost" }], ["limit", { limit: 0 }], ["limit", { limit: maxBatch + 1 }]],
  workers: [],
  tasks: [],
  stats: []
}

const wrongWorker: Readonly<Record<keyof typeof workerHeaders, ReadonlyArray<Change>>> = {
  register: [
    ["session", { session: undefined }],
    ["worker", { worker: "two words" }],
    ["worker", { worker: "" }],
    ["slots", { slots: 0 }],
    ["slots", { slots: 100_001 }],
    ["slots", { slots: "4" }],
    ["tasks", { tasks: undefined }],
    ["tasks.0.description", { tasks: [{ name: "t", description: long(1_025) }] }],
    ["held.0.attempt", { held: [{ id: "a" }] }],
    ["seq", { seq: -1 }],
    ["about.host", { about: { host: long(257) } }],
    ["about.pid", { about: { pid: "1" } }]
  ],
  exchange: [
    ["seq", { seq: 0 }],
    ["seq", { seq: undefined }],
    ["settled", { settled: -1 }],
    ["free", { free: -1 }],
    ["free", { free: undefined }],
    ["abandoned.0", { abandoned: ["1"] }],
    ["draining", { draining: 1 }],
    ["held.0.id", { held: [{ attempt: 1 }] }],
    ["reports.0.state", { reports: [{ id: "a", attempt: 1, state: "lost" }] }],
    ["reports.0.reason", { reports: [{ id: "a", attempt: 1, state: "failed", reason: "bored" }] }],
    ["reports.0.attempt", { reports: [{ id: "a", attempt: -1, state: "failed" }] }],
    ["reports.0.size", { reports: [{ id: "a", attempt: 1, state: "failed", size: -1 }] }]
  ],
  beat: [["session", { session: undefined }], ["lag", { lag: -1 }], ["lag", { lag: 0.5 }], ["lag", { lag: undefined }]],
  leave: [["session", { session: undefined }], ["reports", { reports: {} }]]
}

/** A header with some of its fields changed, as it comes from JSON; `undefined` takes a field away. */
const changed = (header: object, change: object): unknown => JSON.parse(JSON.stringify({ ...header, ...change }))

const reasonOf = (result: Result.Result<unknown, unknown>): string => {
  if (Result.isSuccess(result)) return assert.fail("should be refused")
  assert.instanceOf(result.failure, BadRequest)
  return result.failure.reason
}

const suite = (
  name: string,
  decode: (header: unknown) => Result.Result<unknown, BadRequest | ProtocolMismatch>,
  headers: Readonly<Record<string, object>>,
  wrong: Readonly<Record<string, ReadonlyArray<Change>>>
) =>
  describe(name, () => {
    for (const [op, header] of Object.entries(headers)) {
      it(`takes ${op} with everything that may stand in it`, () => {
        assert.deepStrictEqual(decode(JSON.parse(JSON.stringify(header))), Result.succeed(header))
      })

      it(`ignores in ${op} what a later version may add`, () => {
        assert.deepStrictEqual(decode(changed(header, { later: { x: 1 } })), Result.succeed(header))
      })
    }

    for (const [op, changes] of Object.entries(wrong)) {
      for (const [field, change] of changes) {
        it(`refuses ${op} with ${JSON.stringify(change).slice(0, 70)}, naming ${field}`, () => {
          const reason = reasonOf(decode(changed(headers[op] as object, change)))

          assert.isTrue(reason.startsWith(`op "${op}": `), reason)
          assert.include(reason, `${field}: `)
          assert.isBelow(reason.length, 1_000)
        })
      }
    }

    for (const header of [null, 1, "submit", true, undefined]) {
      it(`refuses ${JSON.stringify(header)}, which is no header`, () => {
        assert.include(reasonOf(decode(header)), "not a JSON object")
      })
    }

    for (const op of [undefined, "Submit", 7, null, { a: 1 }, "toString", "__proto__", long(100_000)]) {
      it(`refuses the op ${JSON.stringify(op)?.slice(0, 30)}, naming those that there are`, () => {
        const reason = reasonOf(decode({ v, op }))

        for (const known of Object.keys(headers)) assert.include(reason, known)
        assert.isBelow(reason.length, 500)
      })
    }

    for (const theirs of [0, 2, "1", null, undefined, [1], long(100_000)]) {
      it(`refuses version ${JSON.stringify(theirs)?.slice(0, 30)} before anything else`, () => {
        const result = decode({ v: theirs, op: 5 })

        assert.isTrue(Result.isFailure(result))
        if (Result.isSuccess(result)) return
        assert.instanceOf(result.failure, ProtocolMismatch)
        assert.deepStrictEqual(result.failure.ours, Message.protocolVersions)
        assert.isBelow(result.failure.message.length, 500)
      })
    }
  })

suite("decodeClientRequest", Message.decodeClientRequest, clientHeaders, wrongClient)
suite("decodeWorkerRequest", Message.decodeWorkerRequest, workerHeaders, wrongWorker)

describe("the two addresses", () => {
  it("do not take each other's requests", () => {
    for (const header of Object.values(workerHeaders)) {
      assert.include(reasonOf(Message.decodeClientRequest(header)), "unknown op")
    }
    for (const header of Object.values(clientHeaders)) {
      assert.include(reasonOf(Message.decodeWorkerRequest(header)), "unknown op")
    }
  })

  it("take a batch of the largest size", () => {
    const tasks = Array.from({ length: maxBatch }, () => ({ name: "t" }))

    assert.isTrue(Result.isSuccess(Message.decodeClientRequest({ v, op: "submit", tasks })))
  })
})

describe("errorToWire", () => {
  it.prop(
    "carries each error with its tag and message, and comes back as the same class",
    { error: ReplyError },
    ({ error }) => {
      const wire = JSON.parse(JSON.stringify(Message.errorToWire(error)))
      const back = Schema.decodeUnknownSync(ReplyError)(wire)

      assert.strictEqual(wire._tag, error._tag)
      assert.strictEqual(wire.message, error.message)
      assert.strictEqual(back.constructor, error.constructor)
      assert.strictEqual(back.message, error.message)
    },
    { arbitrary: { runs: 200 } }
  )

  it("prints versions that a stranger made up", () => {
    const messageOf = (theirs: unknown) => new ProtocolMismatch({ ours: [1], theirs }).message

    assert.include(messageOf([2, 3]), "speaks protocol version 2, 3, this side")
    assert.include(messageOf("2"), "speaks protocol version \"2\", this side")
    assert.include(
      messageOf([{ toString: 1 }, null, []]),
      "speaks protocol version {\"toString\":1}, null, [], this side"
    )
  })

  it("says what people need in its message", () => {
    const full = new QueueFull({ waiting: 1, maxWaiting: 1, waitingBytes: 2, maxWaitingBytes: 3 })

    assert.strictEqual(
      Message.errorToWire(full).message,
      "The queue is full: 1 of 1 tasks, 2 of 3 bytes of arguments are waiting"
    )
    assert.strictEqual(Message.errorToWire(new TaskNotFound({ id: "a" })).message, "No task with the id \"a\" is known")
  })
})
