import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, statSync, writeFileSync } from "node:fs"
import { afterEach, describe, expect, it } from "vitest"
import type { NngError, Pipe } from "../src/index.ts"
import { Pub, Rep, Req, Sub } from "../src/index.ts"
import { connectRaw, freePort, greeting, listenRaw, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => "none", (error: NngError) => error.code)

const makeEcho = () => {
  const rep = scope.add(new Rep())
  rep.onRequest((request) => request.reply(request.body))
  return rep
}

describe("Socket.listen", () => {
  it("shows the port it was given", async () => {
    const rep = makeEcho()

    const [v4, v6, name] = [
      await rep.listen("tcp://127.0.0.1:0"),
      await rep.listen("tcp6://[::1]:0"),
      await rep.listen("tcp4://localhost:0")
    ]

    expect(v4.address).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/)
    expect(v6.address).toMatch(/^tcp:\/\/\[::1\]:[1-9]\d*$/)
    expect(name.address).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/)
  })

  it("rejects an address in use, a bad one and one that is not ours", async () => {
    const rep = makeEcho()
    const { address } = await rep.listen("tcp://127.0.0.1:0")
    const ipc = `ipc://${scope.directory()}/s`
    await rep.listen(ipc)
    await rep.listen("inproc://used")

    expect(await codeOf(rep.listen(address))).toBe("EADDRINUSE")
    expect(await codeOf(rep.listen(ipc))).toBe("EADDRINUSE")
    expect(await codeOf(rep.listen("inproc://used"))).toBe("EADDRINUSE")
    expect(await codeOf(rep.listen("tcp://192.0.2.1:0"))).toBe("EADDRINVAL")
    expect(await codeOf(rep.listen("tcp://nothing"))).toBe("EADDRINVAL")
    expect(await codeOf(rep.listen(`ipc:///${"x".repeat(200)}`))).toBe("EADDRINVAL")
  })

  it("frees the address and ends its pipes on close", async () => {
    const rep = makeEcho()
    const listener = await rep.listen("tcp://127.0.0.1:0")
    const other = await rep.listen("tcp://127.0.0.1:0")
    const [req, stays] = [scope.add(new Req()), scope.add(new Req())]
    req.dial(listener.address)
    stays.dial(other.address)
    await pipesOf(rep, 2)

    await Promise.all([listener.close(), listener.close()])

    expect(rep.pipes).toBe(1)
    expect((await rep.listen(listener.address)).address).toBe(listener.address)
    expect(text(await stays.request("still"))).toBe("still")
  })

  it("replaces a stale ipc file, and removes its own on close", async () => {
    const path = `${scope.directory()}/s`
    const code = `require("net").createServer().listen(${JSON.stringify(path)})`
    const child = scope.addProcess(spawn(process.execPath, ["-e", code], { stdio: "ignore" }))
    await until("its file", () => existsSync(path))
    child.kill("SIGKILL")
    await once(child, "exit")
    expect(existsSync(path)).toBe(true)

    const rep = makeEcho()
    const listener = await rep.listen(`ipc://${path}`)
    const req = scope.add(new Req())
    req.dial(`unix://${path}`)
    expect(text(await req.request("x"))).toBe("x")
    await listener.close()

    expect(existsSync(path)).toBe(false)
  })

  it("leaves a file alone that is no socket", async () => {
    const path = `${scope.directory()}/file`
    writeFileSync(path, "mine")

    expect(await codeOf(makeEcho().listen(`ipc://${path}`))).toBe("EADDRINUSE")
    expect(statSync(path).isFile()).toBe(true)
  })

  it.skipIf(process.platform !== "linux")("listens on abstract names", async () => {
    const rep = makeEcho()
    const listener = await rep.listen(`abstract://node-nng%20${process.pid}`)
    const req = scope.add(new Req())
    req.dial(listener.address)

    expect(text(await req.request("x"))).toBe("x")
  })

  it("takes IPv4 and IPv6 when it listens on all interfaces", async () => {
    const rep = makeEcho()
    const listener = await rep.listen("tcp://*:0")
    const port = listener.address.split(":").at(-1)
    for (const host of ["127.0.0.1", "[::1]", "localhost"]) {
      const req = scope.add(new Req())
      req.dial(`tcp://${host}:${port}`)
      expect(text(await req.request("x"))).toBe("x")
    }
  })

  it("refuses connections above its limits, and takes new ones when there is room", async () => {
    const rep = scope.add(new Rep({ maxPipes: 3, maxHandshakes: 2 }))
    rep.onRequest((request) => request.reply(request.body))
    const refused: Array<string> = []
    rep.onRefused((_, reason) => void refused.push(reason.code))
    const { address } = await rep.listen("tcp://127.0.0.1:0")

    const silent = [await connectRaw(address), await connectRaw(address)]
    const third = await connectRaw(address, greeting(0x30))
    await until("the third refused", third.closed)
    expect(refused).toEqual(["EBUSY"])
    for (const raw of silent) raw.socket.write(greeting(0x30))
    await pipesOf(rep, 2)
    const fourth = await connectRaw(address, greeting(0x30))
    await pipesOf(rep, 3)
    const fifth = await connectRaw(address, greeting(0x30))
    await until("the fifth refused", fifth.closed)
    expect(refused).toEqual(["EBUSY", "EBUSY"])
    fourth.socket.destroy()
    await pipesOf(rep, 2)
    const req = scope.add(new Req())
    req.dial(address)

    expect(text(await req.request("room"))).toBe("room")
    for (const raw of silent) raw.socket.destroy()
  })
})

describe("Socket.dial", () => {
  it("throws on an address nobody can dial", () => {
    expect(() => scope.add(new Req()).dial("tcp://*:80")).toThrow("name the host")
  })

  it.each(["tcp", "ipc", "inproc"])("may come before listen over %s", async (kind) => {
    const address = {
      tcp: `tcp://127.0.0.1:${await freePort()}`,
      ipc: `ipc://${scope.directory()}/s`,
      inproc: "inproc://early"
    }[kind] ?? ""
    const req = scope.add(new Req({ reconnectMinMillis: 5 }))
    const dialer = req.dial(address)
    if (kind !== "inproc") await until("a failed attempt", () => dialer.lastError?.code === "ECONNREFUSED")
    expect(dialer.connected).toBe(false)

    await makeEcho().listen(address)

    expect(text(await req.request("x"))).toBe("x")
    expect(dialer.connected).toBe(true)
    expect(dialer.lastError).toBe(null)
  })

  it.each(["tcp://127.0.0.1:0", "inproc://restart"])("finds a listener again after it restarts: %s", async (kind) => {
    const req = scope.add(new Req({ reconnectMinMillis: 5 }))
    const closes: Array<NngError | null> = []
    req.onPipeClose((_, reason) => void closes.push(reason))
    let address = kind
    for (let i = 0; i < 3; i++) {
      const rep = makeEcho()
      address = (await rep.listen(address)).address
      if (i === 0) req.dial(address)
      expect(text(await req.request(`${i}`))).toBe(`${i}`)
      await rep.close()
      await pipesOf(req, 0)
    }

    expect(closes).toEqual([null, null, null])
  })

  it("makes no storm of a peer that accepts and closes", async () => {
    const server = await listenRaw((raw) => {
      raw.socket.write(greeting(0x31))
      raw.socket.on("data", () => raw.socket.end())
    })
    scope.addServer(server)
    const req = scope.add(new Req({ reconnectMinMillis: 20, reconnectMaxMillis: 10_000 }))
    let opened = 0
    req.onPipe(() => opened++)
    const start = performance.now()
    req.dial(server.address)

    await until("six connections", () => server.peers.length === 6)

    // Waits of at least 10, 20, 40, 80 and 160 ms lie between them.
    expect(performance.now() - start).toBeGreaterThan(300)
    expect(opened).toBeGreaterThan(0)
  })

  it("gives up a connection that never greets, and tries again", async () => {
    const server = await listenRaw()
    scope.addServer(server)
    const req = scope.add(new Req({ handshakeTimeoutMillis: 30, reconnectMinMillis: 5 }))
    const refused: Array<string> = []
    req.onRefused((_, reason) => void refused.push(reason.code))
    const dialer = req.dial(server.address)

    await until("a second attempt", () => server.peers.length >= 2)

    expect(refused[0]).toBe("ETIMEDOUT")
    expect(dialer.lastError?.code).toBe("ETIMEDOUT")
  })

  it("stops on close, in any state", async () => {
    const { address } = await makeEcho().listen("tcp://127.0.0.1:0")
    const req = scope.add(new Req({ reconnectMinMillis: 5 }))
    const dialers = [req.dial(address), req.dial(`tcp://127.0.0.1:${await freePort()}`), req.dial("inproc://nobody")]
    await pipesOf(req, 1)
    const connecting = req.dial(address)

    await Promise.all([...dialers, connecting].map((dialer) => dialer.close()))

    expect(req.pipes).toBe(0)
    expect(dialers.map(({ connected }) => connected)).toEqual([false, false, false])
  })

  it("lets the process end once its socket is closed", async () => {
    const code = `
      import { Rep, Req } from "node-nng"
      const rep = new Rep()
      rep.onRequest((request) => request.reply(request.body))
      const { address } = await rep.listen("tcp://127.0.0.1:0")
      const req = new Req()
      req.dial(address)
      await req.request("x", { timeoutMillis: 60_000 })
      await Promise.all([req.close(), rep.close()])
    `
    const child = scope.addProcess(
      spawn(process.execPath, ["--input-type=module", "-e", code], { cwd: import.meta.dirname, stdio: "inherit" })
    )

    await until("its end", () => child.exitCode !== null)

    expect(child.exitCode).toBe(0)
  })
})

describe("pipes", () => {
  it("are announced as they open and close, with ids of their own", async () => {
    const pub = scope.add(new Pub())
    const opened: Array<Pipe> = []
    const closed: Array<Pipe> = []
    const unsubscribe = pub.onPipe((pipe) => void opened.push(pipe))
    pub.onPipeClose((pipe) => void closed.push(pipe))
    const { address } = await pub.listen("tcp://127.0.0.1:0")
    const subs = [scope.add(new Sub()), scope.add(new Sub())]
    for (const sub of subs) sub.dial(address)
    await until("two pipes", () => opened.length === 2)

    expect(new Set(opened.map(({ id }) => id)).size).toBe(2)
    expect(opened.every(({ localAddress, id }) => localAddress === address && id > 0)).toBe(true)
    await subs[0]?.close()
    await until("one closed", () => closed.length === 1)
    expect(opened).toContain(closed[0])
    expect([closed[0]?.closed, pub.pipes]).toEqual([true, 1])
    unsubscribe()
    scope.add(new Sub()).dial(address)
    await pipesOf(pub, 2)
    expect(opened.length).toBe(2)
  })

  it("may be closed as they are announced", async () => {
    const pub = scope.add(new Pub())
    let closes = 0
    pub.onPipe((pipe) => pipe.close())
    pub.onPipeClose(() => closes++)
    const { address } = await pub.listen("tcp://127.0.0.1:0")
    scope.add(new Sub({ reconnectMinMillis: 5 })).dial(address)

    await until("two tries", () => closes >= 2)

    expect(pub.pipes).toBe(0)
  })

  it("close while the socket is being closed from a callback", async () => {
    const rep = makeEcho()
    rep.onPipe(() => void rep.close())
    const { address } = await rep.listen("tcp://127.0.0.1:0")
    const req = scope.add(new Req())
    req.dial(address)

    await until("the socket to close", () => rep.closed)
    await rep.close()

    expect(rep.pipes).toBe(0)
  })
})
