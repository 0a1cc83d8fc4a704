/** A few seconds of what `npm run fuzz -w node-nng` does for as long as it is told to. */
import { afterEach, describe, expect, it } from "vitest"
import { Rep, Req } from "../src/index.ts"
import { fuzzParser, makeFrames, mutate } from "./fuzzing.ts"
import { makeRandom } from "./random.ts"
import { connectRaw, greeting, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

describe("FrameParser", () => {
  it("reads mutated streams as plainly as can be, in any chunks, within bounds", () => {
    const before = process.memoryUsage().arrayBuffers
    const end = performance.now() + 2_000
    let rounds = 0

    for (; performance.now() < end; rounds++) {
      try {
        fuzzParser(makeRandom(rounds))
      } catch (cause) {
        throw new Error(`seed ${rounds}`, { cause })
      }
    }

    expect(rounds).toBeGreaterThan(50)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200e6)
  })
})

describe("a socket", () => {
  it.each(["tcp", "ipc"])("survives mutated streams over %s and serves the others", async (kind) => {
    const rep = scope.add(new Rep({ handshakeTimeoutMillis: 500 }))
    rep.onRequest((request) => request.reply(request.body))
    const uncaught = scope.uncaught()
    const { address } = await rep.listen(kind === "tcp" ? "tcp://127.0.0.1:0" : `ipc://${scope.directory()}/s`)
    const good = scope.add(new Req())
    good.dial(address)
    const random = makeRandom(3)

    for (let i = 0; i < 100; i++) {
      const stream = Buffer.concat([greeting(0x30), makeFrames(random, kind === "ipc")])
      const raw = await connectRaw(address, mutate(stream, random))
      raw.socket.end()
      if (i % 10 === 0) expect(text(await good.request(`${i}`))).toBe(`${i}`)
      await until("its end", raw.closed)
    }

    await pipesOf(rep, 1)
    expect(uncaught).toEqual([])
  })
})
