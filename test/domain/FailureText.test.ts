import { assert, describe, it } from "@effect/vitest"
import { failureLine, failureText, normalize } from "../../src/domain/FailureText.ts"

describe("failureText", () => {
  const of = (reason: Parameters<typeof failureText>[0], error?: unknown) =>
    failureLine(failureText(reason, error === undefined ? "" : JSON.stringify(error)))

  it("says the kind and the message of a declared error, and nothing else of it", () => {
    assert.strictEqual(of("error", { _tag: "SmtpDown", message: "No answer", host: "secret" }), "SmtpDown: No answer")
    assert.strictEqual(of("error", { _tag: "SmtpDown", host: "secret" }), "SmtpDown")
    assert.strictEqual(of("error", { _tag: "Declined", reason: "no funds" }), "Declined: no funds")
    assert.strictEqual(of("error", "boom\nand more"), "Error: boom")
    assert.strictEqual(of("error", { message: 5 }), "Error")
    assert.strictEqual(of("error"), "Error")
  })

  it("says the class, the message and the stack of a defect", () => {
    const defect = { name: "TypeError", message: "x is not a function\nsecond", stack: "TypeError: x\n    at f" }

    assert.deepStrictEqual(failureText("defect", JSON.stringify(defect)), {
      type: "TypeError",
      message: "x is not a function",
      stack: "TypeError: x\n    at f"
    })
  })

  it("says in words what the control plane itself says by numbers", () => {
    assert.deepStrictEqual([
      of("lost"),
      of("timeout", { timeout: 10_000 }),
      of("unknown", { known: ["a"] }),
      of("arguments", { issues: [{ field: "to", message: "is missing" }, { field: "n", message: "is no number" }] }),
      of("size", { size: 2_097_152, limit: 1_048_576 }),
      of("crash", { crashes: 3, last: JSON.stringify({ name: "Error", message: "out of memory" }) }),
      of("crash", { crashes: 1 }),
      of("crash")
    ], [
      "WorkerLost: The worker was lost while it ran",
      "TaskTimedOut: Took longer than 10s",
      "UnknownTask: No worker has a handler for it",
      "InvalidArguments: to: is missing (and 1 more)",
      "TooLarge: The result is 2MiB, 1MiB are allowed",
      "TaskCrashed: The process that ran it ended 3 times: out of memory",
      "TaskCrashed: The process that ran it ended once",
      "TaskCrashed: The process that ran it ended"
    ])
  })

  it("finds kind and message in an error that was cut off, or is long", () => {
    const body = JSON.stringify({ name: "RangeError", message: "say \"hi\"", stack: "x".repeat(50_000) })

    for (const text of [body, body.slice(0, 4_096), body.slice(0, 60)]) {
      const { message, type } = failureText("defect", text)
      assert.deepStrictEqual([type, message], ["RangeError", "say \"hi\""])
    }
  })

  it("is one short line, whatever the error is", () => {
    for (const error of [null, 5, [], {}, { message: "y".repeat(5_000) }, { _tag: "T\nU".repeat(500) }, "z\r\nz"]) {
      for (const reason of ["error", "defect", "arguments", "crash", "timeout", "unknown", "size"] as const) {
        const line = of(reason, error)
        assert.match(line, /^[^\r\n]{1,430}$/u)
      }
    }
  })
})

describe("normalize", () => {
  it("leaves out what differs from one failure to the next", () => {
    const same = [
      ["Request 4711 took longer than 10.5 s", "Request 8 took longer than 3 s"],
      ["No user \"ann\" in 'eu-1'", "No user \"bob\" in 'us-2'"],
      ["Task 0b9e1a52-1c1f-4c3e-9d55-0a4c5e1f7a11 is gone", "Task 1b9e1a52-1c1f-4c3e-9d55-0a4c5e1f7a12 is gone"],
      ["trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace 00f067aa0ba902b7aaaaaaaaaaaaaaaa"],
      ["at row 18,204 of 01K9Z4T8PX1CAB2D3E4F", "at row 7 of 01K9Z4T8PX1CAB2D3E4G"]
    ] as const
    for (const [a, b] of same) assert.strictEqual(normalize(a), normalize(b))
  })

  it("keeps what says something", () => {
    assert.strictEqual(normalize("Card was declined: insufficient_funds"), "Card was declined: insufficient_funds")
    assert.strictEqual(normalize("It can't be read, it won't be"), "It can't be read, it won't be")
    assert.notStrictEqual(normalize("connect failed"), normalize("write failed"))
  })
})
