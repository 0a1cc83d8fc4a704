import { assert, describe, it } from "@effect/vitest"
import type { Answer } from "../../src/layers/Answers.ts"
import { makeAnswers } from "../../src/layers/Answers.ts"

const refused = (message = "the queue is full"): Answer => ({
  count: 1,
  first: "a",
  ids: undefined,
  refused: [{ index: 0, error: { _tag: "QueueFull", message } }]
})

const mebibyte = "x".repeat(1024 * 1024)

describe("find", () => {
  it("returns the answer to a message, to its session alone", () => {
    const answers = makeAnswers()
    const first = refused()
    answers.remember("s", 7, first)

    assert.strictEqual(answers.find("s", 7), first)
    assert.isUndefined(answers.find("s", 8))
    assert.isUndefined(answers.find("other", 7))
  })

  it("returns the newest 1,000 of a session, whatever the others have", () => {
    const answers = makeAnswers()
    answers.remember("quiet", 1, refused())
    for (let seq = 1; seq <= 1_001; seq++) answers.remember("s", seq, refused())

    assert.isUndefined(answers.find("s", 1))
    assert.isDefined(answers.find("s", 2))
    assert.isDefined(answers.find("s", 1_001))
    assert.isDefined(answers.find("quiet", 1))
  })

  it("returns the last answer, whose size alone counts", () => {
    const answers = makeAnswers()
    answers.remember("s", 1, refused())
    for (let time = 0; time < 100; time++) answers.remember("s", 2, refused(mebibyte))
    const last = refused(mebibyte)
    answers.remember("s", 2, last)

    assert.isDefined(answers.find("s", 1))
    assert.strictEqual(answers.find("s", 2), last)
  })

  it("returns the newest of all sessions, about 64 MiB of them", () => {
    const answers = makeAnswers()
    const isKept = (number: number) => answers.find(`s${number % 3}`, number) !== undefined
    for (let number = 0; number < 100; number++) answers.remember(`s${number % 3}`, number, refused(mebibyte))

    const kept = Array.from({ length: 100 }, (_, number) => number).filter(isKept)

    assert.deepStrictEqual(kept, Array.from({ length: 63 }, (_, i) => 37 + i))
  })
})

describe("forget", () => {
  it("forgets all of a session and nothing else, and its room is there for others", () => {
    const answers = makeAnswers()
    for (let seq = 0; seq < 40; seq++) answers.remember("gone", seq, refused(mebibyte))
    answers.remember("s", 0, refused())

    answers.forget("gone")
    answers.forget("never there")
    for (let seq = 1; seq < 60; seq++) answers.remember("s", seq, refused(mebibyte))

    assert.isUndefined(answers.find("gone", 0))
    assert.isUndefined(answers.find("gone", 39))
    assert.isDefined(answers.find("s", 0))
  })
})
