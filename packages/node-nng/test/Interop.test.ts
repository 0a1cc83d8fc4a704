import { afterEach, describe, expect, it } from "vitest"
import { Pair0, Pair1, Pub, Pull, Push, Rep, Req, Respondent, Sub, Surveyor } from "../src/index.ts"
import { nngcat, nngcatMissing } from "./nngcat.ts"
import { freePort, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

if (nngcatMissing !== null) console.warn(`Interop.test.ts skipped: ${nngcatMissing}`)

const start = (...args: ReadonlyArray<string>) => {
  const started = nngcat(...args)
  scope.addProcess(started.child)
  return started
}

describe.skipIf(nngcatMissing !== null).each(["tcp", "tcp6", "ipc", "abstract"])("nngcat over %s", (kind) => {
  let names = 0

  /** An address to listen on, for ours (port 0) or nngcat (a free port). */
  const addressFor = async (who: "ours" | "nngcat"): Promise<string> => {
    const name = `node-nng-${process.pid}-${names++}`
    if (kind === "ipc") return `ipc://${scope.directory()}/s`
    if (kind === "abstract") return `abstract://${name}`
    return `tcp://${kind === "tcp" ? "127.0.0.1" : "[::1]"}:${who === "ours" ? 0 : await freePort()}`
  }

  it("asks our REP", async () => {
    const rep = scope.add(new Rep())
    rep.onRequest((request) => request.reply(["re:", request.body]))
    const { address } = await rep.listen(await addressFor("ours"))

    const cat = start("--req", "--dial", address, "--data", "ping", "--quoted")
    await until("the reply", () => cat.exited())

    await until("its output", () => cat.messages().length === 1)

    expect(cat.messages()).toEqual(["re:ping"])
  })

  it("asks our REP that dials", async () => {
    const address = await addressFor("nngcat")
    const cat = start("--req", "--listen", address, "--data", "ping", "--quoted")
    const rep = scope.add(new Rep({ reconnectMinMillis: 10 }))
    rep.onRequest((request) => request.reply(["re:", request.body]))
    rep.dial(address)

    await until("the reply", () => cat.exited())

    await until("its output", () => cat.messages().length === 1)

    expect(cat.messages()).toEqual(["re:ping"])
  })

  it("answers our REQ, before which it need not run", async () => {
    const address = await addressFor("nngcat")
    const req = scope.add(new Req({ reconnectMinMillis: 10 }))
    req.dial(address)
    const replies = Array.from({ length: 100 }, (_, i) => req.request(`ask ${i}`))

    const cat = start("--rep", "--listen", address, "--data", "answer", "--quoted")

    expect((await Promise.all(replies)).map(text)).toEqual(Array(100).fill("answer"))
    await until("all to be printed", () => cat.messages().length === 100)
    expect(cat.messages()).toEqual(Array.from({ length: 100 }, (_, i) => `ask ${i}`))
  })

  it("answers our REQ that listens, with a large message too", async () => {
    const req = scope.add(new Req())
    const { address } = await req.listen(await addressFor("ours"))
    const cat = start("--rep", "--dial", address, "--data", "answer", "--quoted")

    expect(text(await req.request(["x".repeat(100_000), new Uint8Array(100_000).fill(0x79)]))).toBe("answer")
    await until("it to be printed", () => cat.messages().length === 1)
    expect(cat.messages()).toEqual(["x".repeat(100_000) + "y".repeat(100_000)])
  })

  it("subscribes to our PUB", async () => {
    const pub = scope.add(new Pub())
    const { address } = await pub.listen(await addressFor("ours"))
    const cat = start("--sub", "--dial", address, "--subscribe", "a", "--subscribe", "end", "--quoted")
    await pipesOf(pub, 1)

    // Its topics are set before it dials.
    for (const message of ["a1", "b2", ["a", "3"], "end"]) pub.send(message)
    await until("the last", () => cat.messages().includes("end"))

    expect(cat.messages()).toEqual(["a1", "a3", "end"])
  })

  it("publishes to our SUB", async () => {
    const address = await addressFor("nngcat")
    start("--pub", "--listen", address, "--data", "topic news", "--interval", "1")
    const [sub, deaf] = [new Sub({ reconnectMinMillis: 10 }), new Sub({ reconnectMinMillis: 10 })]
    for (const [socket, topic] of [[sub, "topic"], [deaf, "topical"]] as const) {
      scope.add(socket).subscribe(topic)
      socket.dial(address)
    }

    expect(text(await sub.receive())).toBe("topic news")
    expect(text(await sub.receive())).toBe("topic news")
    await expect(deaf.receive({ timeoutMillis: 1 })).rejects.toMatchObject({ code: "ETIMEDOUT" })
  })

  it("pulls from our PUSH", async () => {
    const push = scope.add(new Push())
    const { address } = await push.listen(await addressFor("ours"))
    const sent = Array.from({ length: 50 }, (_, i) => push.send(`job ${i}`))

    const cat = start("--pull", "--dial", address, "--quoted")
    await Promise.all(sent)

    await until("all to be printed", () => cat.messages().length === 50)
    expect(cat.messages()).toEqual(Array.from({ length: 50 }, (_, i) => `job ${i}`))
  })

  it("pushes to our PULL that dials", async () => {
    const address = await addressFor("nngcat")
    start("--push", "--listen", address, "--data", "job")
    const pull = scope.add(new Pull({ reconnectMinMillis: 10 }))
    pull.dial(address)

    expect(text(await pull.receive())).toBe("job")
  })

  it.each([
    ["responds to our SURVEYOR", () => new Surveyor({ surveyMillis: 5_000 }), "--respondent"],
    ["answers our PAIR0", () => new Pair0(), "--pair0"],
    ["answers our PAIR1", () => new Pair1(), "--pair1"]
  ])("%s", async (_, make, protocol) => {
    const socket = scope.add<Surveyor | Pair0 | Pair1>(make())
    const { address } = await socket.listen(await addressFor("ours"))
    const cat = start(protocol, "--dial", address, "--data", "answer", "--quoted")
    await pipesOf(socket, 1)

    if (socket instanceof Surveyor) expect(text(await socket.survey("ask").receive())).toBe("answer")
    else {
      await socket.send("ask")
      expect(text(await socket.receive())).toBe("answer")
    }
    await until("it to be printed", () => cat.messages().length === 1)
    expect(cat.messages()).toEqual(["ask"])
  })

  it("asks our RESPONDENT", async () => {
    const respondent = scope.add(new Respondent())
    respondent.onSurvey((survey) => survey.reply(["re:", survey.body]))
    const { address } = await respondent.listen(await addressFor("ours"))

    const cat = start("--surveyor", "--dial", address, "--data", "ping", "--delay", "1", "--quoted")

    await until("its output", () => cat.messages().includes("re:ping"))
  })

  it("has its connection closed when it speaks another protocol", async () => {
    const rep = scope.add(new Rep())
    const refused: Array<string> = []
    rep.onRefused((_, reason) => void refused.push(reason.message))
    const { address } = await rep.listen(await addressFor("ours"))

    start("--sub", "--dial", address, "--subscribe", "", "--quoted")
    await until("the refusal", () => refused.length > 0)

    expect(refused[0]).toContain("protocol id 0x21 instead of 0x30")
  })

  it("finds our REP again after it restarts", async () => {
    const rep = scope.add(new Rep())
    rep.onRequest(() => {})
    const { address } = await rep.listen(await addressFor("ours"))
    const cat = start("--req", "--dial", address, "--data", "ping", "--quoted")
    await pipesOf(rep, 1)
    await rep.close()

    const next = scope.add(new Rep())
    next.onRequest((request) => request.reply("back"))
    await next.listen(address)
    await until("the reply", () => cat.exited())

    await until("its output", () => cat.messages().length === 1)

    expect(cat.messages()).toEqual(["back"])
  })
})
