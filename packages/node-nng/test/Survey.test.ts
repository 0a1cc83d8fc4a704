import { afterEach, describe, expect, it } from "vitest"
import type { NngError, Request } from "../src/index.ts"
import { Respondent, Surveyor } from "../src/index.ts"
import { connectRaw, frame, greeting, listenRaw, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => "none", (error: NngError) => error.code)

const collect = async (responses: AsyncIterable<Uint8Array>): Promise<ReadonlyArray<string>> => {
  const got: Array<string> = []
  for await (const body of responses) got.push(text(body))
  return got.toSorted()
}

/** A surveyor and respondents that keep their surveys. */
const makeParty = async (address: string, count: number) => {
  const surveyor = scope.add(new Surveyor())
  const listener = await surveyor.listen(address)
  const surveys: Array<Request> = []
  for (let i = 0; i < count; i++) {
    const respondent = scope.add(new Respondent())
    respondent.onSurvey((survey) => void surveys.push(survey))
    respondent.dial(listener.address)
  }
  await pipesOf(surveyor, count)
  return { surveyor, surveys, address: listener.address }
}

describe.each(["tcp://127.0.0.1:0", "ipc", "inproc://survey"])("Surveyor and Respondent over %s", (kind) => {
  const address = () => kind === "ipc" ? `ipc://${scope.directory()}/s` : kind

  it("asks all and takes what comes before the deadline", async () => {
    const { surveyor, surveys } = await makeParty(address(), 3)

    const survey = surveyor.survey("who?", { surveyMillis: 200 })
    await until("three surveys", () => surveys.length === 3)
    for (const [i, { body, pipe }] of surveys.entries()) {
      expect(text(body)).toBe("who?")
      expect(pipe.closed).toBe(false)
      if (i < 2) surveys[i]?.reply(`me ${i}`)
    }

    expect(await collect(survey)).toEqual(["me 0", "me 1"])
    expect(survey.over).toBe(true)
    surveys[2]?.reply("too late")
    await until("the late one", () => surveyor.stats().dropped.noMatch === 1)
    expect(surveyor.outstanding).toBe(0)
  })

  it("has surveys side by side, each with its own responses", async () => {
    const { surveyor, surveys } = await makeParty(address(), 2)

    const open = Array.from({ length: 20 }, (_, i) => surveyor.survey(`${i}`, { surveyMillis: 300 }))
    await until("all", () => surveys.length === 40)
    for (const survey of surveys.toReversed()) survey.reply(["re", survey.body])

    expect(await Promise.all(open.map(collect))).toEqual(open.map((_, i) => [`re${i}`, `re${i}`]))
  })
})

describe("Surveyor", () => {
  it("ends a wait at the deadline with ETIMEDOUT and later ones with ESTATE, but hands out what had come", async () => {
    const { surveyor, surveys } = await makeParty("tcp://127.0.0.1:0", 2)
    const [silent, answered] = [
      surveyor.survey("a", { surveyMillis: 30 }),
      surveyor.survey("b", { surveyMillis: 30 })
    ]
    await until("the surveys", () => surveys.length === 4)
    for (const survey of surveys) if (text(survey.body) === "b") survey.reply("kept")

    expect(await codeOf(silent.receive())).toBe("ETIMEDOUT")
    expect(await codeOf(silent.receive())).toBe("ESTATE")
    await until("the end", () => answered.over)
    expect([text(await answered.receive()), text(await answered.receive())]).toEqual(["kept", "kept"])
    expect(await codeOf(answered.receive())).toBe("ESTATE")
  })

  it("needs no peers", async () => {
    const surveyor = scope.add(new Surveyor({ surveyMillis: 10 }))

    expect(await collect(surveyor.survey("anybody?"))).toEqual([])
  })

  it("has a survey canceled by hand or by signal, and its responses dropped", async () => {
    const { surveyor, surveys } = await makeParty("tcp://127.0.0.1:0", 1)
    const controller = new AbortController()
    const byHand = surveyor.survey("x")
    const bySignal = surveyor.survey("y", { signal: controller.signal })
    const waiting = [codeOf(byHand.receive()), codeOf(bySignal.receive())]
    await until("the surveys", () => surveys.length === 2)

    byHand.cancel()
    controller.abort()
    for (const survey of surveys) survey.reply("late")

    expect(await Promise.all(waiting)).toEqual(["ECANCELED", "ECANCELED"])
    await until("the drops", () => surveyor.stats().dropped.noMatch === 2)
    expect(() => surveyor.survey("z", { signal: controller.signal })).toThrow("canceled")
    expect(surveyor.outstanding).toBe(0)
  })

  it("limits one wait without ending the survey", async () => {
    const { surveyor, surveys } = await makeParty("tcp://127.0.0.1:0", 1)
    const survey = surveyor.survey("x", { surveyMillis: 10_000 })
    await until("the survey", () => surveys.length === 1)

    expect(await codeOf(survey.receive({ timeoutMillis: 5 }))).toBe("ETIMEDOUT")
    surveys[0]?.reply("after all")

    expect(text(await survey.receive())).toBe("after all")
    survey.cancel()
  })

  it("fails surveys with ECLOSED on close, and refuses new ones", async () => {
    const surveyor = scope.add(new Surveyor())
    const survey = surveyor.survey("x")
    const waiting = codeOf(survey.receive())

    await surveyor.close()

    expect(await waiting).toBe("ECLOSED")
    expect(await codeOf(survey.receive())).toBe("ECLOSED")
    expect(() => surveyor.survey("y")).toThrow("closed")
  })

  it("sends on to quick peers when one does not read, and counts what that one misses", async () => {
    const surveyor = scope.add(new Surveyor({ sendHighWaterBytes: 50_000, sendBufferMessages: 2, lingerMillis: 0 }))
    const { address } = await surveyor.listen("tcp://127.0.0.1:0")
    const stuck = await connectRaw(address, greeting(0x63))
    stuck.socket.pause()
    const respondent = scope.add(new Respondent())
    respondent.onSurvey((survey) => survey.reply("here"))
    respondent.dial(address)
    await pipesOf(surveyor, 2)

    for (let sent = 0; surveyor.stats().dropped.sendBufferFull < 3; sent++) {
      if (sent > 2_000) throw new Error("the stuck peer never fills")
      const survey = surveyor.survey(new Uint8Array(50_000), { surveyMillis: 10_000 })
      expect(text(await survey.receive())).toBe("here")
      survey.cancel()
    }
    stuck.socket.destroy()
  })

  it("drops responses past its buffer, and counts them", async () => {
    const surveyor = scope.add(new Surveyor({ receiveBufferMessages: 2 }))
    const { address } = await surveyor.listen("tcp://127.0.0.1:0")
    const raw = await connectRaw(address, greeting(0x63))
    await pipesOf(surveyor, 1)
    const survey = surveyor.survey("x", { surveyMillis: 5_000 })
    await until("the survey", () => raw.received().length === 8 + 8 + 5)
    const id = raw.received().subarray(16, 20)

    raw.socket.write(Buffer.concat([1, 2, 3, 4].map((n) => frame(...id, n))))
    await until("two drops", () => surveyor.stats().dropped.receiveBufferFull === 2)

    expect([[...await survey.receive()], [...await survey.receive()]]).toEqual([[1], [2]])
    expect(survey.tryReceive()).toBe(undefined)
    survey.cancel()
    raw.socket.destroy()
  })
})

describe("Respondent", () => {
  it("may leave any number of surveys, and answers in any order", async () => {
    const { surveyor, surveys } = await makeParty("tcp://127.0.0.1:0", 1)
    for (let i = 0; i < 3_000; i++) surveyor.survey("ignored").cancel()
    const open = [surveyor.survey("a"), surveyor.survey("b")]
    await until("all", () => surveys.length === 3_002)

    for (const survey of surveys.slice(-2).toReversed()) survey.reply(survey.body)

    expect(await Promise.all(open.map(async (survey) => text(await survey.receive())))).toEqual(["a", "b"])
    expect(() => surveys.at(-1)?.reply("twice")).toThrow("reply once")
  })

  it("says when the surveyor is gone, and counts the response", async () => {
    const server = await listenRaw((raw) => {
      raw.socket.write(Buffer.concat([greeting(0x62), frame(0x80, 0, 0, 1, 0x61)]))
    })
    scope.addServer(server)
    const respondent = scope.add(new Respondent())
    respondent.dial(server.address)
    const survey = await respondent.receive()
    server.peers[0]?.socket.destroy()
    await pipesOf(respondent, 0)

    expect(survey.reply("nobody")).toBe(false)
    expect(respondent.stats().dropped.noPeer).toBe(1)
  })
})
