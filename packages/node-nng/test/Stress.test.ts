import { afterEach, describe, expect, it } from "vitest"
import type { Pipe, Socket } from "../src/index.ts"
import { Rep, Req, Respondent, Surveyor } from "../src/index.ts"
import { makeRandom } from "./random.ts"
import { pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

const quick = { reconnectMinMillis: 1, reconnectMaxMillis: 5 } as const

/** Closes pipes of a socket at random until told to stop. */
const cut = (socket: Socket, random: (below: number) => number): () => void => {
  const pipes = new Set<Pipe>()
  socket.onPipe((pipe) => void pipes.add(pipe))
  socket.onPipeClose((pipe) => void pipes.delete(pipe))
  const timer = setInterval(() => {
    const list = [...pipes]
    list[random(list.length)]?.close()
  }, 3)
  return () => clearInterval(timer)
}

describe.each(["tcp://127.0.0.1:0", "inproc://stress"])("under closures, over %s", (address) => {
  it.each([1, 2])("every request is answered with its own reply (seed %i)", async (seed) => {
    const random = makeRandom(seed)
    const reps = [0, 1, 2].map(() => scope.add(new Rep(quick)))
    const reqs = [0, 1, 2, 3].map(() => scope.add(new Req(quick)))
    for (const [i, rep] of reps.entries()) {
      rep.onRequest((request) => {
        if (random(3) > 0) request.reply(["re", request.body])
        else setTimeout(() => request.reply(["re", request.body]), random(5))
      })
      const listener = await rep.listen(address.startsWith("tcp") ? address : `${address}-${seed}-${i}`)
      for (const req of reqs) req.dial(listener.address)
    }
    const stops = [...reps, ...reqs].map((socket) => cut(socket, random))

    const asked = Array.from({ length: 2_000 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, random(300)))
      return text(await reqs[i % 4]?.request(`${i}`) ?? new Uint8Array(0))
    })
    const replies = await Promise.all(asked)

    for (const stop of stops) stop()
    expect(replies).toEqual(replies.map((_, i) => `re${i}`))
    expect(reqs.map((req) => req.outstanding)).toEqual([0, 0, 0, 0])
    expect(reqs.reduce((sum, req) => sum + req.stats().reconnects, 0)).toBeGreaterThan(10)
  })

  it("a survey gets only responses of its own, at most one from each", async () => {
    const random = makeRandom(7)
    const surveyor = scope.add(new Surveyor({ ...quick, surveyMillis: 20 }))
    const listener = await surveyor.listen(address)
    const respondents = [0, 1, 2, 3].map(() => scope.add(new Respondent(quick)))
    for (const [i, respondent] of respondents.entries()) {
      respondent.onSurvey((survey) => {
        setTimeout(() => survey.reply([`${i}:`, survey.body]), random(25))
      })
      respondent.dial(listener.address)
    }
    const stops = [surveyor, ...respondents].map((socket) => cut(socket, random))

    const surveys = Array.from({ length: 300 }, async (_, n) => {
      await new Promise((resolve) => setTimeout(resolve, random(300)))
      const got: Array<string> = []
      for await (const response of surveyor.survey(`${n}`)) got.push(text(response))
      expect(new Set(got).size).toBe(got.length)
      for (const response of got) expect(response).toMatch(new RegExp(`^[0-3]:${n}$`))
    })
    await Promise.all(surveys)

    for (const stop of stops) stop()
    expect(surveyor.outstanding).toBe(0)
    expect(surveyor.stats().pipesOpened).toBeGreaterThan(10)
    // Whatever the storm did, all are there again after it.
    await until("everybody", () => [surveyor, ...respondents].reduce((sum, { pipes }) => sum + pipes, 0) === 8)
    const last = surveyor.survey("last", { surveyMillis: 10_000 })
    const got = [await last.receive(), await last.receive(), await last.receive(), await last.receive()]
    expect(got.map(text).toSorted()).toEqual(["0:last", "1:last", "2:last", "3:last"])
  })
})

describe("a hundred clients", () => {
  it("are all served, and all gone at the end", async () => {
    const rep = scope.add(new Rep())
    rep.onRequest((request) => request.reply(request.body))
    const { address } = await rep.listen("tcp://127.0.0.1:0")
    const reqs = Array.from({ length: 100 }, () => scope.add(new Req()))
    for (const req of reqs) req.dial(address)

    const replies = await Promise.all(
      reqs.flatMap((req, i) => Array.from({ length: 20 }, (_, n) => req.request(`${i}:${n}`)))
    )

    expect(replies.map(text)).toEqual(reqs.flatMap((_, i) => Array.from({ length: 20 }, (_, n) => `${i}:${n}`)))
    await Promise.all(reqs.map((req) => req.close()))
    await pipesOf(rep, 0)
    await until("the count", () => rep.stats().pipesClosed === 100)
  })
})
