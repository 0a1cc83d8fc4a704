/** tls+tcp, ws and wss against nngcat, each side listening; the plain transports are in Interop.test.ts. */
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { afterEach, describe, expect, it } from "vitest"
import { Pub, Rep, Req, Sub } from "../src/index.ts"
import { ca, client, server } from "./fixtures/certificates.ts"
import { nngcat, nngcatMissing } from "./nngcat.ts"
import { pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { addressOf, dialOptions, listenOptions, mutualDialOptions, mutualListenOptions } from "./transports.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

const missing = nngcatMissing ?? (() => {
  // What its build lacks it says at once; what it can it goes on trying.
  const args = ["--req", "--dial", "tls+tcp://127.0.0.1:1", "--async", "--data", "x"]
  const { stderr } = spawnSync("nngcat", args, { encoding: "utf8", timeout: 500, killSignal: "SIGKILL" })
  return stderr.includes("upported") ? "nngcat is built without TLS" : null
})()
if (missing !== null) console.warn(`TransportInterop.test.ts skipped: ${missing}`)

const start = (...args: ReadonlyArray<string>) => {
  const started = nngcat(...args)
  scope.addProcess(started.child)
  return started
}

describe.skipIf(missing !== null).each(["tls+tcp", "ws", "wss"] as const)("nngcat over %s", (kind) => {
  const secure = kind !== "ws"

  const file = (name: string, content: string): string => {
    const path = `${scope.directory()}/${name}`
    writeFileSync(path, content)
    return path
  }

  /** Its arguments to dial `address`, by the name that our certificate has. */
  const dialing = (address: string): ReadonlyArray<string> => [
    "--dial",
    address.replace("127.0.0.1", "localhost"),
    ...(secure ? ["--cacert", file("ca.pem", ca), "--cert", file("client.pem", client.cert + client.key)] : [])
  ]

  const listening = (address: string): ReadonlyArray<string> => [
    "--listen",
    address,
    ...(secure ? ["--cert", file("server.pem", server.cert + server.key)] : [])
  ]

  it("asks our REP, which requires its certificate where there are any", async () => {
    const rep = scope.add(new Rep())
    rep.onRequest((request) => request.reply(["re:", request.body]))
    const { address } = await rep.listen(await addressOf(kind, scope), mutualListenOptions)

    const cat = start("--req", ...dialing(address), "--data", "ping", "--quoted")
    await until("the reply", () => cat.exited())
    await until("its output", () => cat.messages().length === 1)

    expect(cat.messages()).toEqual(["re:ping"])
  })

  it("asks our REP that dials", async () => {
    const address = await addressOf(kind, scope, "known")
    const cat = start("--req", ...listening(address), "--data", "ping", "--quoted")
    const rep = scope.add(new Rep({ reconnectMinMillis: 10 }))
    rep.onRequest((request) => request.reply(["re:", request.body]))
    rep.dial(address, mutualDialOptions)

    await until("the reply", () => cat.exited())
    await until("its output", () => cat.messages().length === 1)

    expect(cat.messages()).toEqual(["re:ping"])
  })

  it("answers our REQ, before which it need not run", async () => {
    const address = await addressOf(kind, scope, "known")
    const req = scope.add(new Req({ reconnectMinMillis: 10 }))
    req.dial(address, dialOptions)
    const replies = Array.from({ length: 100 }, (_, i) => req.request(`ask ${i}`))

    const cat = start("--rep", ...listening(address), "--data", "answer", "--quoted")

    expect((await Promise.all(replies)).map(text)).toEqual(Array(100).fill("answer"))
    await until("all to be printed", () => cat.messages().length === 100)
    expect(cat.messages()).toEqual(Array.from({ length: 100 }, (_, i) => `ask ${i}`))
  })

  it("exchanges messages of many fragments with our REQ that listens", async () => {
    const req = scope.add(new Req())
    const { address } = await req.listen(await addressOf(kind, scope), listenOptions)
    const answer = file("answer", "z".repeat(300_000))
    const cat = start("--rep", ...dialing(address), "--file", answer, "--quoted")

    const reply = await req.request(["x".repeat(100_000), new Uint8Array(200_000).fill(0x79)])

    expect(text(reply)).toBe("z".repeat(300_000))
    await until("it to be printed", () => cat.messages().length === 1)
    expect(cat.messages()).toEqual(["x".repeat(100_000) + "y".repeat(200_000)])
  })

  it("subscribes to our PUB", async () => {
    const pub = scope.add(new Pub())
    const { address } = await pub.listen(await addressOf(kind, scope), listenOptions)
    const cat = start("--sub", ...dialing(address), "--subscribe", "a", "--subscribe", "end", "--quoted")
    await pipesOf(pub, 1)

    for (const message of ["a1", "b2", ["a", "3"], "end"]) pub.send(message)
    await until("the last", () => cat.messages().includes("end"))

    expect(cat.messages()).toEqual(["a1", "a3", "end"])
  })

  it("publishes to our SUB", async () => {
    const address = await addressOf(kind, scope, "known")
    start("--pub", ...listening(address), "--data", "topic news", "--interval", "1")
    const sub = scope.add(new Sub({ reconnectMinMillis: 10 }))
    sub.subscribe("topic")
    sub.dial(address, dialOptions)

    expect(text(await sub.receive())).toBe("topic news")
    expect(text(await sub.receive())).toBe("topic news")
  })

  it("is turned away when it speaks another protocol", async () => {
    const rep = scope.add(new Rep())
    const refused: Array<string> = []
    rep.onRefused((_, reason) => void refused.push(reason.message))
    const { address } = await rep.listen(await addressOf(kind, scope), listenOptions)

    start("--sub", ...dialing(address), "--subscribe", "", "--async", "--quoted")
    // The other side does not like our greeting either, and may hang up before it has said its own: then it dials again.
    const expected = kind === "tls+tcp" ? "protocol id 0x21 instead of 0x30" : "instead of rep.sp.nanomsg"
    await until("the refusal", () => refused.some((reason) => reason.includes(expected)))
  })

  it("finds our REP again after it restarts", async () => {
    const rep = scope.add(new Rep())
    rep.onRequest(() => {})
    const { address } = await rep.listen(await addressOf(kind, scope), listenOptions)
    const cat = start("--req", ...dialing(address), "--data", "ping", "--quoted")
    await pipesOf(rep, 1)
    await rep.close()

    const next = scope.add(new Rep())
    next.onRequest((request) => request.reply("back"))
    await next.listen(address, listenOptions)
    await until("the reply", () => cat.exited())
    await until("its output", () => cat.messages().length === 1)

    expect(cat.messages()).toEqual(["back"])
  })
})
