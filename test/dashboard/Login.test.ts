/** The dashboard of a control plane with a secret, over HTTP: who may read, who may change, and who is told what. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { makeLogin } from "../../src/layers/DashboardLogin.ts"
import { makeSecret, roleKeyText } from "../../src/layers/Secret.ts"
import { Cluster, eventually } from "../harness/Cluster.ts"

const secret = makeSecret()
const observer = roleKeyText(secret, "observer")

let cluster: Cluster
let plane: Awaited<ReturnType<Cluster["controlPlane"]>>
let url: string

beforeAll(async () => {
  cluster = await Cluster.make()
  plane = await cluster.controlPlane(["--dashboard", "127.0.0.1:0", "--discovery", "tcp://127.0.0.1:0"], {
    FASTWORKER_SECRET: secret
  })
  url = plane.ready.dashboard ?? ""
})

afterAll(() => cluster[Symbol.asyncDispose]())

const ask = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(url + path, init)
  const text = await response.text()
  const body = text.startsWith("{") ? JSON.parse(text) as Readonly<Record<string, unknown>> : {}
  return { status: response.status, headers: response.headers, body, text }
}

const json = (body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body)
})
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

const signIn = async (key: string) => {
  const { headers, status } = await ask("/api/session", json({ key }))
  return { status, cookie: headers.get("set-cookie") ?? "" }
}

describe("a stranger", () => {
  it("gets the page and whether the process is well, and nothing else", async () => {
    for (const path of ["/", "/healthz", "/readyz"]) assert.strictEqual((await ask(path)).status, 200, path)

    for (
      const path of [
        "/api/stats",
        "/api/tasks",
        "/api/live",
        "/api/system",
        "/api/docs",
        "/openapi.json",
        "/metrics",
        "/api/x"
      ]
    ) {
      const { body, headers, status, text } = await ask(path)
      assert.strictEqual(status, 401, path)
      assert.strictEqual(body["code"], "Unauthenticated")
      assert.strictEqual(headers.get("www-authenticate"), "Bearer")
      assert.notInclude(text, secret)
    }
    assert.strictEqual((await ask("/api/pause", json({}))).status, 401)
  })

  it("with a wrong key is told so, and which", async () => {
    const { body, status } = await ask("/api/stats", { headers: bearer(makeSecret()) })
    assert.strictEqual(status, 401)
    assert.include(String(body["detail"]), "neither the secret")
  })
})

describe("a session", () => {
  it("is in a cookie that no script and no other site gets, and ends when it is closed", async () => {
    const { cookie, status } = await signIn(secret)
    assert.strictEqual(status, 200)
    for (const word of ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="]) assert.include(cookie, word)
    assert.notInclude(cookie, secret)
    const headers = { cookie: cookie.split(";")[0] ?? "" }

    assert.strictEqual((await ask("/api/stats", { headers })).status, 200)
    assert.strictEqual((await ask("/api/session", { headers })).body["role"], "operator")
    await ask("/api/session", { method: "DELETE", headers })
    assert.strictEqual((await ask("/api/stats", { headers })).status, 401)
  })

  it("is secure where the proxy speaks TLS", async () => {
    const { headers } = await ask("/api/session", json({ key: secret }, { "x-forwarded-proto": "https" }))
    assert.include(headers.get("set-cookie") ?? "", "; Secure")
  })

  it("is not opened by what is no key", async () => {
    for (const body of [{}, { key: 7 }, { key: "" }, { key: "x".repeat(10_000) }, []]) {
      const { status } = await ask("/api/session", json(body))
      assert.include([400, 401], status)
    }
  })
})

describe("nobody, whatever the role,", () => {
  it("is shown the secret", async () => {
    for (const key of [secret, observer]) {
      const headers = bearer(key)
      for (const path of ["/api/system", "/api/snapshot", "/api/stats", "/api/workers", "/openapi.json", "/api/docs"]) {
        const { status, text } = await ask(path, { headers })
        assert.strictEqual(status, 200, path)
        assert.notInclude(text, secret)
      }
      assert.notInclude((await ask("/metrics", { headers })).text, secret)
      const settings = (await ask("/api/system", { headers })).body["settings"]
      assert.deepInclude(settings, { name: "secret", value: "set" })
    }
  })
})

describe("roles", () => {
  it("an observer reads, and can't change anything", async () => {
    const headers = bearer(observer)
    assert.strictEqual((await ask("/api/stats", { headers })).status, 200)
    assert.strictEqual((await ask("/api/tasks/lookup", json({ ids: [] }, headers))).status, 200)

    for (const path of ["/api/pause", "/api/tasks", "/api/tasks/x/cancel", "/api/tasks/purge", "/api/schedules"]) {
      const { body, status } = await ask(path, json({}, headers))
      assert.strictEqual(status, 403, path)
      assert.strictEqual(body["code"], "ReadOnly")
    }
    assert.strictEqual((await ask("/api/schedules/x", { method: "DELETE", headers })).status, 403)
  })

  it("a client changes, and it is written down who did", async () => {
    const headers = bearer(roleKeyText(secret, "client"))
    assert.strictEqual((await ask("/api/pause", json({ task: "some.task" }, headers))).status, 204)
    await eventually("the audit line", () => plane.stderr().includes("/api/pause") && plane.stderr().includes("client"))
  })
})

describe("guesses", () => {
  const make = () => {
    let time = 0
    const login = makeLogin({ secret, prefix: "", now: () => time })
    const guess = (key: string, address: string) => login.open(key, address, false)
    return { guess, login, pass: (millis: number) => (time += millis) }
  }

  it("are bounded for each address, and counted anew after a minute", () => {
    const { guess, pass } = make()
    for (let i = 0; i < 10; i++) assert.deepInclude(guess(`wrong ${i}`, "a"), { role: undefined, reason: "wrong" })

    assert.deepInclude(guess(secret, "a"), { role: undefined, reason: "often" })
    assert.deepInclude(guess(secret, "b"), { role: "operator" })
    pass(60_001)
    assert.deepInclude(guess(secret, "a"), { role: "operator" })
  })

  it("are bounded for all addresses together", () => {
    const { guess } = make()
    for (let i = 0; i < 200; i++) guess("wrong", `address ${i}`)

    assert.deepInclude(guess(secret, "another"), { role: undefined, reason: "often" })
  })

  it("are answered with 429 and how long to wait", async () => {
    await using own = await Cluster.make()
    const { ready } = await own.controlPlane(["--dashboard", "127.0.0.1:0"], { FASTWORKER_SECRET: secret })
    const statuses: Array<number> = []
    let retryAfter: string | null = null
    for (let i = 0; i < 11; i++) {
      const response = await fetch(`${ready.dashboard}/api/session`, json({ key: `wrong ${i}` }))
      statuses.push(response.status)
      retryAfter = response.headers.get("retry-after")
      await response.text()
    }

    assert.deepStrictEqual(statuses, [...Array.from({ length: 10 }, () => 401), 429])
    assert.isAbove(Number(retryAfter), 0)
  })
})

describe("sessions", () => {
  it("end after twelve hours, and are bounded: the oldest goes", () => {
    let time = 0
    const login = makeLogin({ secret, prefix: "/x", now: () => time })
    const open = () => ({ cookie: login.open(secret, "a", false).cookie?.split(";")[0] })
    const first = open()
    assert.strictEqual(login.visitor(first, "a").role, "operator")

    for (let i = 0; i < 1_000; i++) open()
    assert.isUndefined(login.visitor(first, "a").role)

    const last = open()
    time = 13 * 3_600_000
    assert.isUndefined(login.visitor(last, "a").role)
  })
})

describe("without a secret", () => {
  it("everybody is an operator, and the dashboard stays on this machine", async () => {
    await using own = await Cluster.make()
    const { ready } = await own.controlPlane(["--dashboard", "127.0.0.1:0"])
    const response = await fetch(`${ready.dashboard}/api/session`)
    assert.deepStrictEqual(await response.json(), { role: "operator", isNeeded: false })

    const free = ["--address", "--worker-address", "--discovery"].flatMap((flag) => [flag, "tcp://127.0.0.1:0"])
    const { code, stderr } = await own.run(["control-plane", ...free, "--dashboard", "0.0.0.0:0"])
    assert.strictEqual(code, 2)
    assert.include(stderr, "FASTWORKER_SECRET")
  })
})
