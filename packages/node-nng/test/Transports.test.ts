import { spawn } from "node:child_process"
import { cpSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import type * as Net from "node:net"
import { setImmediate as turn } from "node:timers/promises"
import * as Tls from "node:tls"
import { fileURLToPath } from "node:url"
import { afterEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { connectFirst } from "../src/Connect.ts"
import type { Dialer, NngError } from "../src/index.ts"
import { Pub, Pull, Push, Rep, Req, Sub } from "../src/index.ts"
import { ca, client, server, stranger } from "./fixtures/certificates.ts"
import { connectRaw, freePort, greeting, listenRaw, pipesOf } from "./raw.ts"
import { makeScope } from "./scope.ts"
import {
  addressOf,
  dialOptions,
  kinds,
  listenOptions,
  mutualDialOptions,
  mutualListenOptions,
  tcpKinds
} from "./transports.ts"
import { text, until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => "none", (error: NngError) => error.code)

const lastCode = async (dialer: Dialer): Promise<string> => {
  await until("a failed attempt", () => dialer.lastError !== null)
  return dialer.lastError?.code ?? ""
}

/** An echo, what it refused, and where it listens. */
const makeEcho = async (
  address: string,
  options = listenOptions,
  repOptions: ConstructorParameters<typeof Rep>[0] = {}
) => {
  const rep = scope.add(new Rep(repOptions))
  const refused: Array<NngError> = []
  rep.onRefused((_, reason) => void refused.push(reason))
  rep.onRequest((request) => request.reply(request.body))
  const listener = await rep.listen(address, options)
  return { rep, refused, address: listener.address, port: Number(/:(\d+)(?:\/|$)/.exec(listener.address)?.[1]) }
}

describe.each(kinds)("%s", (kind) => {
  it("carries messages of any size both ways, and names both ends", async () => {
    const { rep, address } = await makeEcho(await addressOf(kind, scope), listenOptions, { receiveMaxBytes: 0 })
    const local: Array<string> = []
    rep.onPipe((pipe) => void local.push(pipe.localAddress))
    const req = scope.add(new Req({ receiveMaxBytes: 0 }))
    req.dial(address, dialOptions)

    for (const size of [0, 1, 125, 126, 4_096, 65_535, 65_536, 65_537, 1_000_000, 3_000_000]) {
      const body = new Uint8Array(size).map((_, i) => (i * 31) ^ (i >>> 8))
      const reply = await req.request([body.subarray(0, size >> 1), body.subarray(size >> 1)])
      expect(Buffer.compare(reply, body)).toBe(0)
    }

    expect(local).toEqual([address])
    expect(address.startsWith(`${kind}://`)).toBe(true)
  })

  it("keeps the order of many messages", async () => {
    const pub = scope.add(new Pub({ sendBufferMessages: 100_000 }))
    const { address } = await pub.listen(await addressOf(kind, scope), listenOptions)
    const sub = scope.add(new Sub())
    const seen: Array<string> = []
    sub.onMessage((body) => void seen.push(text(body)))
    sub.subscribe("")
    sub.dial(address, dialOptions)
    await pipesOf(pub, 1)

    for (let i = 0; i < 20_000; i++) pub.send(`${i}`)
    await until("the last", () => seen.length === 20_000)

    expect(seen).toEqual(Array.from({ length: 20_000 }, (_, i) => `${i}`))
  })

  it("holds back a sender that nobody reads from, and loses nothing", async () => {
    const rep = scope.add(new Rep())
    const { address } = await rep.listen(await addressOf(kind, scope), listenOptions)
    const req = scope.add(new Req({ sendHighWaterBytes: 100_000 }))
    req.dial(address, dialOptions)
    await pipesOf(req, 1)
    const body = new Uint8Array(10_000)
    const replies = Array.from({ length: 2_000 }, (_, i) => req.request([`${i} `, body]))

    // All that the system may buffer on the way is far less than the 20 MB asked for.
    for (let before = -1; before !== req.queued;) {
      before = req.queued
      for (let i = 0; i < 20; i++) await turn()
    }
    expect(req.queued).toBeGreaterThan(500)
    for (let i = 0; i < 2_000; i++) {
      const request = await rep.receive()
      request.reply(`${parseInt(text(request.body.subarray(0, 5)), 10)}`)
    }

    expect((await Promise.all(replies)).map(text)).toEqual(Array.from({ length: 2_000 }, (_, i) => `${i}`))
  })

  it("carries small and large messages in turn to a slow receiver, whichever side dials", async () => {
    const sizes = [10, 5_000, 40_000, 100_000, 1_000_000]
    for (const dials of ["push", "pull"]) {
      const [push, pull] = [scope.add(new Push()), scope.add(new Pull())]
      const [listening, dialing] = dials === "push" ? [pull, push] : [push, pull]
      dialing.dial((await listening.listen(await addressOf(kind, scope), listenOptions)).address, dialOptions)
      const send = async (): Promise<void> => {
        for (let i = 0; i < 100; i++) await push.send(new Uint8Array(sizes[i % sizes.length] ?? 0).fill(i))
      }
      const sent = send()

      for (let i = 0; i < 100; i++) {
        const body = await pull.receive()
        expect([body.length, body[0], body.at(-1)]).toEqual([sizes[i % sizes.length], i, i])
        if (i % 10 === 0) { for (let turns = 0; turns < 20; turns++) await turn() }
      }
      await sent
    }
  })

  it("is found again after a restart, and can be listened on once only", async () => {
    let address = await addressOf(kind, scope, "known")
    const req = scope.add(new Req({ reconnectMinMillis: 5 }))
    req.dial(address, dialOptions)
    for (let i = 0; i < 3; i++) {
      const echo = await makeEcho(address)
      expect(await codeOf(scope.add(new Rep()).listen(address, listenOptions))).toBe("EADDRINUSE")
      expect(text(await req.request(`${i}`))).toBe(`${i}`)
      await echo.rep.close()
      await pipesOf(req, 0)
    }
  })

  it("sends what was accepted before close", async () => {
    const sub = scope.add(new Sub())
    sub.subscribe("")
    const { address } = await sub.listen(await addressOf(kind, scope), listenOptions)
    const pub = scope.add(new Pub())
    pub.dial(address, dialOptions)
    await pipesOf(pub, 1)

    for (let i = 0; i < 50; i++) pub.send(new Uint8Array(10_000).fill(i))
    await pub.close()

    for (let i = 0; i < 50; i++) expect((await sub.receive())[9_999]).toBe(i)
  })
})

describe.each(kinds.filter((kind) => kind !== "inproc"))("%s", (kind) => {
  it("accepts the largest message and closes the pipe of one byte more", async () => {
    const { rep, refused, address } = await makeEcho(await addressOf(kind, scope), listenOptions, {
      receiveMaxBytes: 100_004
    })
    const req = scope.add(new Req({ resendMillis: 0, reconnectMinMillis: 5 }))
    req.dial(address, dialOptions)

    expect((await req.request(new Uint8Array(100_000))).length).toBe(100_000)
    expect(await codeOf(req.request(new Uint8Array(100_001)))).toBe("ECONNRESET")

    expect(refused.map(({ code }) => code)).toEqual(["EMSGSIZE"])
    expect(text(await req.request("again"))).toBe("again")
    expect(rep.pipes).toBe(1)
  })
})

describe.each(tcpKinds)("a stranger at %s", (kind) => {
  it.each([
    ["nothing", Buffer.alloc(0), /^ETIMEDOUT$/],
    ["noise", Buffer.alloc(20, 0xff), /^(EPROTO|ECRYPTO)$/],
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n"), /^(EPROTO|ECRYPTO)$/],
    ["SP", Buffer.from(greeting(0x50)), /^(EPROTO|ECRYPTO)$/],
    ["the beginning of TLS", Buffer.from([0x16, 3, 1, 2, 0, 1]), /^(EPROTO|ETIMEDOUT)$/]
  ])("that sends %s is refused within the deadline, alone", async (_, bytes, code) => {
    const { rep, refused, address, port } = await makeEcho(await addressOf(kind, scope), listenOptions, {
      handshakeTimeoutMillis: 300
    })
    const req = scope.add(new Req())
    req.dial(address, dialOptions)
    await pipesOf(rep, 1)

    const raw = await connectRaw(`tcp://127.0.0.1:${port}`, bytes)
    await until("its end", raw.closed)
    await until("the report", () => refused.length > 0)

    expect(refused.length).toBe(1)
    expect(refused[0]?.code).toMatch(code)
    expect(text(await req.request("x"))).toBe("x")
    expect(rep.pipes).toBe(1)
  })

  it("that leaves at once is forgotten", async () => {
    const { rep, refused, address, port } = await makeEcho(await addressOf(kind, scope), listenOptions, {
      maxHandshakes: 5
    })

    for (let i = 0; i < 50; i++) {
      const raw = await connectRaw(`tcp://127.0.0.1:${port}`)
      raw.socket.destroy()
      await until("the report", () => refused.length === i + 1)
    }

    expect(new Set(refused.map((error) => error.code))).toEqual(new Set(["ECONNRESET"]))
    const req = scope.add(new Req())
    req.dial(address, dialOptions)
    expect(text(await req.request("x"))).toBe("x")
    expect(rep.pipes).toBe(1)
  })

  it("counts against the limit on unfinished handshakes", async () => {
    const { refused, port } = await makeEcho(await addressOf(kind, scope), listenOptions, { maxHandshakes: 2 })

    const silent = [1, 2, 3].map(() => connectRaw(`tcp://127.0.0.1:${port}`))
    await until("the refusal", () => refused.length === 1)

    expect(refused[0]?.code).toBe("EBUSY")
    for (const raw of await Promise.all(silent)) raw.socket.destroy()
  })

  it("that accepts and says nothing is given up within the deadline", async () => {
    const silent = await listenRaw()
    scope.addServer(silent)
    const req = scope.add(new Req({ handshakeTimeoutMillis: 50, reconnectMinMillis: 5 }))
    const dialer = req.dial(`${kind}://127.0.0.1:${silent.port}`, dialOptions)

    await until("a second attempt", () => silent.peers.length >= 2)

    expect(dialer.lastError?.code).toBe("ETIMEDOUT")
    await req.close()
    await until("all to be closed", () => silent.peers.every((peer) => peer.closed()))
  })

  it("that cannot be reached is dialed again", async () => {
    const req = scope.add(new Req({ reconnectMinMillis: 5 }))
    const dialer = req.dial(`${kind}://127.0.0.1:${await freePort()}`, dialOptions)

    expect(await lastCode(dialer)).toBe("ECONNREFUSED")
  })

  it("that accepts and closes is dialed 200 times in three seconds at most", async () => {
    const server = await listenRaw((raw) => raw.socket.end())
    scope.addServer(server)
    const req = scope.add(new Req({ reconnectMinMillis: 1, reconnectMaxMillis: 40 }))
    req.dial(`${kind}://127.0.0.1:${server.port}`, dialOptions)
    const from = performance.now()

    await until("fifty dials", () => server.peers.length >= 50)

    // The wait is at its maximum of 40 ms, of which at least half is kept: fifty dials take about 1.3 s.
    expect(performance.now() - from).toBeGreaterThan(750)
  })
})

describe.each(["tls+tcp", "wss"] as const)("%s", (kind) => {
  it("is listened on with a certificate only, and with a good one", async () => {
    const rep = scope.add(new Rep())
    const address = await addressOf(kind, scope)

    expect(await codeOf(rep.listen(address))).toBe("EINVAL")
    expect(await codeOf(rep.listen(address, { tls: { cert: "no", key: "no" } }))).toBe("EINVAL")
    expect(await codeOf(rep.listen(address, { tls: { cert: server.cert, key: client.key } }))).toBe("EINVAL")
    expect(() => scope.add(new Req()).dial(`${kind}://localhost:1`, { tls: { ca, cert: "no", key: "no" } })).toThrow(
      "must be PEM"
    )
  })

  it("verifies the server by default: its signer and its name", async () => {
    const { port } = await makeEcho(await addressOf(kind, scope))
    const { port: strange } = await makeEcho(await addressOf(kind, scope), { tls: stranger })
    const dial = (host: string, options: Parameters<Req["dial"]>[1]) => {
      const req = scope.add(new Req({ reconnectMinMillis: 50 }))
      return { req, dialer: req.dial(`${kind}://${host}/some/path`.replace(/(tls.*)\/some\/path/, "$1"), options) }
    }

    const untrusted = dial(`localhost:${strange}`, { tls: { ca } })
    const wellKnown = dial(`localhost:${port}`, {})
    const otherName = dial(`localhost:${port}`, { tls: { ca, serverName: "example.org" } })
    const otherAddress = dial(`127.0.0.2:${port}`, { tls: { ca } })
    const trusted = dial(`localhost:${strange}`, { tls: { ca: [ca, Buffer.from(stranger.cert)] } })
    const named = dial(`127.0.0.1:${port}`, { tls: { ca, serverName: "localhost" } })
    const careless = dial(`localhost:${strange}`, { tls: { verify: false } })

    for (const { req } of [trusted, named, careless]) expect(text(await req.request("x"))).toBe("x")
    for (const { dialer, req } of [untrusted, wellKnown, otherName]) {
      expect(await lastCode(dialer)).toBe("EPEERAUTH")
      expect(req.pipes).toBe(0)
    }
    // Nobody listens there: it is another loopback address.
    expect(await lastCode(otherAddress.dialer)).toBe("ECONNREFUSED")
  })

  it("sends nothing of SP to a server it does not trust", async () => {
    const received: Array<Buffer> = []
    let connections = 0
    const raw = Tls.createServer(stranger, (socket) => {
      connections++
      socket.on("data", (chunk) => void received.push(chunk))
      socket.on("error", () => {})
    })
    raw.on("tlsClientError", () => connections++)
    await new Promise<void>((resolve) => void raw.listen(0, "127.0.0.1", resolve))
    scope.addServer(raw)
    const req = scope.add(new Req({ reconnectMinMillis: 5 }))
    req.dial(`${kind}://localhost:${(raw.address() as Net.AddressInfo).port}`, { tls: { ca } })

    await until("three attempts", () => connections >= 3)

    expect(Buffer.concat(received).length).toBe(0)
  })

  it("turns away clients without a certificate of its own when it requires one", async () => {
    const { rep, refused, address } = await makeEcho(await addressOf(kind, scope), mutualListenOptions)
    const reqs = [undefined, stranger].map((pair) => {
      const req = scope.add(new Req({ reconnectMinMillis: 20 }))
      req.dial(address, { tls: { ca, ...pair } })
      return req
    })
    await until("refusals", () => refused.length >= 4)
    const good = scope.add(new Req())
    good.dial(address, mutualDialOptions)

    expect(text(await good.request("x"))).toBe("x")
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(["ECRYPTO", "EPEERAUTH"]))
    expect(reqs.map(({ pipes }) => pipes)).toEqual([0, 0])
    expect(rep.pipes).toBe(1)
  })
})

describe("ws", () => {
  const name = "rep.sp.nanomsg.org"

  /** How a bare WebSocket fares: the HTTP status it was refused with, or how it was closed. */
  const fate = (address: string, names: ReadonlyArray<string>, first?: string | Uint8Array): Promise<number> =>
    new Promise((resolve) => {
      const socket = new WebSocket(address, [...names])
      socket.on("unexpected-response", (_, response) => resolve(response.statusCode ?? 0))
      socket.on("open", () => {
        if (first !== undefined) socket.send(first)
      })
      socket.on("error", () => {})
      socket.on("close", resolve)
    })

  it("refuses other paths, other subprotocols, several of them, and none", async () => {
    const { address, refused, rep } = await makeEcho("ws://127.0.0.1:0/here")

    const fates = [
      await fate(address.replace("/here", "/there"), [name]),
      await fate(`${address}?query`, [name]),
      await fate(address, ["req.sp.nanomsg.org"]),
      await fate(address, [name, "req.sp.nanomsg.org"]),
      await fate(address, [])
    ]

    expect(fates).toEqual([404, 404, 400, 400, 400])
    await until("all reports", () => refused.length === 5)
    expect(refused.map(({ code }) => code)).toEqual(Array(5).fill("EPROTO"))
    expect(rep.pipes).toBe(0)
  })

  it("answers plain HTTP with 426", async () => {
    const { port } = await makeEcho("ws://127.0.0.1:0")

    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(426)
  })

  it("disconnects a peer that sends text or malformed requests, alone", async () => {
    const { address, refused, rep } = await makeEcho("ws://127.0.0.1:0")

    await fate(address, [name], "text")
    await fate(address, [name], Uint8Array.of(1, 2))

    await until("both refusals", () => refused.length === 2)
    expect(refused.map(({ code }) => code)).toEqual(["EPROTO", "EPROTO"])
    expect(rep.pipes).toBe(0)
  })

  it("takes a message in fragments, answers pings and echoes the subprotocol", async () => {
    const { address } = await makeEcho("ws://127.0.0.1:0")
    const socket = new WebSocket(address, [name])
    scope.addServer(socket)
    const received: Array<Buffer> = []
    let pongs = 0
    socket.on("message", (data: Buffer) => void received.push(data))
    socket.on("pong", () => pongs++)
    await new Promise<void>((resolve) => void socket.once("open", resolve))

    socket.send(Uint8Array.of(0x80, 0), { binary: true, fin: false })
    socket.ping()
    socket.send(Uint8Array.of(0, 1), { fin: false })
    socket.send(Uint8Array.of(7, 8), { fin: true })
    await until("the reply", () => received.length === 1)

    expect(received[0]).toEqual(Buffer.of(0x80, 0, 0, 1, 7, 8))
    expect([socket.protocol, socket.extensions, pongs]).toEqual([name, "", 1])
  })

  it("says which protocol a dialer has met", async () => {
    const { address } = await makeEcho("ws://127.0.0.1:0")
    const dialer = scope.add(new Sub({ reconnectMinMillis: 5 })).dial(address)

    expect(await lastCode(dialer)).toBe("EPROTO")
    expect(dialer.lastError?.message).toContain("400")
  })

  it("says what to install where its package is missing", async () => {
    const directory = scope.directory()
    cpSync(fileURLToPath(new URL("../dist", import.meta.url)), directory, { recursive: true })
    writeFileSync(`${directory}/package.json`, `{ "type": "module" }`)
    const code = `
      import { Rep } from "./index.js"
      const rep = new Rep()
      const { address } = await rep.listen("tcp://127.0.0.1:0")
      const report = (error) => console.log(error.code, error.message)
      await rep.listen("ws://127.0.0.1:0").catch(report)
      const dialer = rep.dial(address.replace("tcp", "ws"))
      while (dialer.lastError === null) await new Promise(setImmediate)
      report(dialer.lastError)
      await rep.close()
    `
    const child = scope.addProcess(
      spawn(process.execPath, ["--input-type=module", "-e", code], {
        cwd: directory,
        stdio: ["ignore", "pipe", "inherit"]
      })
    )
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))

    await until("its end", () => child.exitCode !== null)

    expect(output.trim().split("\n").length).toBe(2)
    for (const line of output.trim().split("\n")) expect(line).toMatch(/^ENOTSUP .*npm install ws/)
  })
})

describe("ipc", () => {
  it("sets the mode of its file", async () => {
    const path = `${scope.directory()}/s`
    await scope.add(new Rep()).listen(`ipc://${path}`, { permissions: 0o600 })

    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await codeOf(scope.add(new Rep()).listen(`ipc://${path}2`, { permissions: 0o1000 }))).toBe("EINVAL")
  })

  it("leaves a file alone that has taken its place", async () => {
    const path = `${scope.directory()}/s`
    const first = scope.add(new Rep())
    await first.listen(`ipc://${path}`)
    rmSync(path)
    const second = await makeEcho(`ipc://${path}`)

    await first.close()

    const req = scope.add(new Req())
    req.dial(`ipc://${path}`)
    expect(text(await req.request("x"))).toBe("x")
    await second.rep.close()
    expect(statSync(path, { throwIfNoEntry: false })).toBe(undefined)
  })

  it("leaves the file of a living listener alone, also where it is reached by a link", async () => {
    const directory = scope.directory()
    const { address } = await makeEcho(`ipc://${directory}/s`)
    symlinkSync(`${directory}/s`, `${directory}/link`)

    expect(await codeOf(scope.add(new Rep()).listen(address))).toBe("EADDRINUSE")
    expect(await codeOf(scope.add(new Rep()).listen(`ipc://${directory}/link`))).toBe("EADDRINUSE")
    const req = scope.add(new Req())
    req.dial(`ipc://${directory}/link`)
    expect(text(await req.request("x"))).toBe("x")
  })

  it("fails where there is no directory or no right", async () => {
    const rep = scope.add(new Rep())

    expect(await codeOf(rep.listen(`ipc://${scope.directory()}/none/s`))).toMatch(/EACCES|ECONNREFUSED|EADDRINVAL/)
  })
})

describe("tcp", () => {
  it("reaches a listener of one family by a name that has both", async () => {
    for (const bound of ["tcp4://127.0.0.1:0", "tcp6://[::1]:0"]) {
      const { port } = await makeEcho(bound)
      const hosts = bound.startsWith("tcp4") ? ["::1", "127.0.0.1"] : ["127.0.0.1", "::1"]

      const socket = await new Promise<Net.Socket | null>((resolve) => {
        connectFirst(hosts, { port, keepAliveMillis: 0, reading: false }, (_, connected) => resolve(connected))
      })

      expect(socket?.remoteAddress).toBe(hosts[1])
      socket?.destroy()
    }
  })

  it("does not wait for an address that does not answer, and reports the last failure", async () => {
    const { port } = await makeEcho("tcp://127.0.0.1:0")
    const connect = (hosts: ReadonlyArray<string>, at: number) =>
      new Promise<string>((resolve) => {
        connectFirst(hosts, { port: at, keepAliveMillis: 0, reading: false }, (error, socket) => {
          resolve(error === null ? socket?.remoteAddress ?? "" : (error as NngError).code)
          socket?.destroy()
        })
      })

    // 192.0.2.0/24 is for documentation: nobody answers, or the system knows no way there.
    expect(await connect(["192.0.2.1", "127.0.0.1"], port)).toBe("127.0.0.1")
    expect(await connect(["127.0.0.2", "127.0.0.3"], await freePort())).toBe("ECONNREFUSED")
  })

  it("stops trying when it is told to", async () => {
    const server = await listenRaw()
    scope.addServer(server)
    let called = false
    const stop = connectFirst(
      ["192.0.2.1", "127.0.0.1"],
      { port: server.port, keepAliveMillis: 0, reading: false },
      () => {
        called = true
      }
    )

    stop()
    await until(
      "a few turns",
      (() => {
        let turns = 0
        return () => turns++ > 20
      })()
    )

    expect([called, server.peers.length]).toEqual([false, 0])
  })

  it("forces a family, also for names", async () => {
    const { port, address } = await makeEcho("tcp4://localhost:0")
    const v4 = scope.add(new Req())
    v4.dial(`tcp4://localhost:${port}`)

    expect(address).toBe(`tcp://127.0.0.1:${port}`)
    expect(text(await v4.request("x"))).toBe("x")
    expect(() => scope.add(new Req()).dial(`tcp4://[::1]:${port}`)).toThrow("no IPv4 address")
    expect(() => scope.add(new Req()).dial(`tcp6://127.0.0.1:${port}`)).toThrow("no IPv6 address")
    expect(await codeOf(scope.add(new Rep()).listen("tcp6://*:0"))).toBe("none")
  })

  it("reaches a link-local address by its zone", async () => {
    const { port } = await makeEcho("tcp6://[::1%lo]:0")
    const req = scope.add(new Req())
    req.dial(`tcp://[::1%25lo]:${port}`)

    expect(text(await req.request("x"))).toBe("x")
  })

  it("reports a host that does not exist, and goes on", async () => {
    const dialer = scope.add(new Req()).dial("tcp://name.invalid:1")

    expect(await lastCode(dialer)).toMatch(/EADDRINVAL|EUNREACHABLE/)
    expect(await codeOf(scope.add(new Rep()).listen("tcp://name.invalid:0"))).toMatch(/EADDRINVAL|EUNREACHABLE/)
  })
})
