/**
 * What the patterns cost for one exchange between two peers: CPU time of both sides together, in one process over loopback
 * tcp. Run: `npx tsc -b packages/node-nng && node packages/node-nng/bench/patterns.ts [rounds]`. The least of all rounds
 * counts: other work on the machine can only add to it.
 */
import { Pair1, Pull, Push, Rep, Req, Respondent, Surveyor } from "node-nng"

const address = "tcp://127.0.0.1:0"

/** Does `count` exchanges of `body`, of which `outstanding` are on their way at a time. */
interface Link {
  readonly run: (body: string, count: number, outstanding: number) => Promise<void>
  readonly close: () => Promise<unknown>
}

/** Keeps `outstanding` exchanges on their way; `begin` starts one and calls back when it is over. */
const keepOn = (count: number, outstanding: number, begin: (done: () => void) => void): Promise<void> =>
  new Promise((resolve) => {
    let [begun, ended] = [0, 0]
    const next = (): void => {
      begun++
      begin(() => {
        if (++ended === count) resolve()
        else if (begun < count) next()
      })
    }
    for (let i = 0; i < Math.min(outstanding, count); i++) next()
  })

const connected = async (socket: { readonly pipes: number }): Promise<void> => {
  while (socket.pipes === 0) await new Promise(setImmediate)
}

const reqRep = async (): Promise<Link> => {
  const [req, rep] = [new Req(), new Rep()]
  rep.onRequest((request) => request.reply(request.body))
  req.dial((await rep.listen(address)).address)
  await connected(req)
  return {
    run: (body, count, outstanding) =>
      keepOn(count, outstanding, (done) => void req.requestWith(body, { timeoutMillis: 60_000 }, done)),
    close: () => Promise.all([req.close(), rep.close()])
  }
}

/** What comes back is for the oldest that waits, by nothing but its order. */
const pair = async (): Promise<Link> => {
  const [asker, answerer] = [new Pair1({ sendBufferMessages: 1_000 }), new Pair1({ sendBufferMessages: 1_000 })]
  answerer.onMessage((body) => void answerer.trySend(body))
  let done = (): void => {}
  asker.onMessage(() => done())
  asker.dial((await answerer.listen(address)).address)
  await connected(asker)
  return {
    run: (body, count, outstanding) =>
      keepOn(count, outstanding, (ended) => {
        done = ended
        asker.trySend(body)
      }),
    close: () => Promise.all([asker.close(), answerer.close()])
  }
}

/** One way; a message is over when it has arrived, which its sender does not get to know. */
const pushPull = async (): Promise<Link> => {
  const [push, pull] = [new Push({ sendBufferMessages: 1_000 }), new Pull()]
  let done = (): void => {}
  pull.onMessage(() => done())
  push.dial((await pull.listen(address)).address)
  await connected(push)
  return {
    run: (body, count, outstanding) =>
      keepOn(count, outstanding, (ended) => {
        done = ended
        push.trySend(body)
      }),
    close: () => Promise.all([push.close(), pull.close()])
  }
}

/** A survey is over at its only response, and canceled: left alone it would last to its deadline. */
const survey = async (): Promise<Link> => {
  const [surveyor, respondent] = [new Surveyor({ surveyMillis: 60_000 }), new Respondent()]
  respondent.onSurvey((asked) => asked.reply(asked.body))
  respondent.dial((await surveyor.listen(address)).address)
  await connected(surveyor)
  return {
    run: (body, count, outstanding) =>
      keepOn(count, outstanding, (done) => {
        const one = surveyor.survey(body)
        one.onResponse(() => {
          one.cancel()
          done()
        })
      }),
    close: () => Promise.all([surveyor.close(), respondent.close()])
  }
}

const patterns = {
  "REQ/REP": reqRep,
  PAIR1: pair,
  "SURVEYOR/RESPONDENT": survey,
  "PUSH/PULL, no answer": pushPull
} as const

const cases = [[300, 1, 10_000], [300, 64, 100_000], [16_384, 64, 10_000]] as const

const rounds = Number(process.argv[2] ?? 10)
const least = new Map<string, number>()
for (let round = 0; round < rounds; round++) {
  for (const [name, make] of Object.entries(patterns)) {
    const link = await make()
    for (const [size, outstanding, count] of cases) {
      const body = "x".repeat(size)
      await link.run(body, 1_000, outstanding)
      const from = process.cpuUsage()
      await link.run(body, count, outstanding)
      const { system, user } = process.cpuUsage(from)
      const key = `${name} ${size} ${outstanding}`
      least.set(key, Math.min(least.get(key) ?? Infinity, (system + user) / count))
    }
    await link.close()
  }
}
console.log(`| µs of CPU, both sides | ${cases.map(([size, out]) => `${size} B, ${out} out`).join(" | ")} |`)
console.log(`| --- |${" --- |".repeat(cases.length)}`)
for (const name of Object.keys(patterns)) {
  const cells = cases.map(([size, out]) => least.get(`${name} ${size} ${out}`)?.toFixed(1))
  console.log(`| ${name} | ${cells.join(" | ")} |`)
}
