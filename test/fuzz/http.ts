/** The server of the dashboard, asked by a bare socket: every answer is one that the documents name, and it comes soon. */
import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import { connect } from "node:net"
import * as Task from "../../src/domain/TaskDefinition.ts"
import { startDashboard } from "../harness/Dashboard.ts"
import { startClient, startWorker } from "../harness/Roles.ts"
import type { Random, Target } from "./Fuzz.ts"
import { open } from "./live.ts"
import { mutateBytes, mutateJson, pick, printBytes, simplerBytes, upTo } from "./mutate.ts"

const answerMillis = 5_000
const maxHeapBytes = 400 * 1024 * 1024

/** Of answers that stream only the head is looked at. */
const maxAnswerBytes = 4 * 1024 * 1024

const paths = [
  "/",
  "/index.html",
  "/assets/x.js",
  "/healthz",
  "/readyz",
  "/metrics",
  "/openapi.json",
  "/api",
  "/api/docs",
  "/api/live",
  "/api/session",
  "/api/snapshot",
  "/api/stats",
  "/api/system",
  "/api/series?range=15m&type=echo",
  "/api/errors?range=1h&type=echo",
  "/api/tasks?state=failed,dead&type=e*&limit=5&sort=changed&q=a%20b&since=5&until=1e15&priority=high&cursor=n.e.1.a",
  "/api/tasks/counts?state=queued&after=5",
  "/api/tasks/known",
  "/api/tasks/known/args",
  "/api/tasks/known/result",
  "/api/workers",
  "/api/workers/honest",
  "/api/schedules",
  "/api/types",
  "/api/types/echo"
] as const

const posts: ReadonlyArray<readonly [string, unknown]> = [
  ["/api/tasks", {
    name: "echo",
    args: "{}",
    priority: "high",
    in: 5,
    tags: ["a"],
    unique: { key: "k", while: "waiting", onConflict: "reject" }
  }],
  ["/api/tasks/lookup", { ids: ["known", "x"] }],
  ["/api/tasks/cancel", { type: "e*", state: "queued", dryRun: true, expect: 0, asOf: 5, ids: ["x"] }],
  ["/api/tasks/retry", { state: "dead" }],
  ["/api/tasks/purge", { state: "dead", error: "x" }],
  ["/api/tasks/known/cancel", {}],
  ["/api/tasks/known/retry", {}],
  ["/api/pause", { task: "other" }],
  ["/api/resume", {}],
  ["/api/workers/nobody/drain", {}],
  ["/api/schedules", { id: "s", name: "echo", args: "{}", kind: { every: 60_000 }, catchUp: "once", overlap: "skip" }],
  ["/api/schedules/s/run", {}],
  ["/api/session", { secret: "x" }]
]

const oddHeaders = [
  "accept-encoding: gzip, br",
  "if-none-match: *",
  "last-event-id: 5",
  "last-event-id: x",
  "cookie: fastworker=x; a=b",
  "authorization: Bearer x",
  "origin: http://evil.example",
  "sec-fetch-site: cross-site",
  "host: evil.example",
  "host: [::1]:80",
  "x-forwarded-host: a, b",
  "content-type: text/plain",
  "content-type: application/json; charset=utf-16",
  "transfer-encoding: chunked",
  "content-length: 5",
  "expect: 100-continue",
  "upgrade: websocket",
  "range: bytes=0-1",
  `x: ${"y".repeat(20_000)}`
]

const request = (method: string, path: string, headers: ReadonlyArray<string>, body: string): Buffer =>
  Buffer.from([`${method} ${path} HTTP/1.1`, ...headers, "", body].join("\r\n"), "latin1")

const generate = (random: Random): Buffer => {
  const headers = ["host: 127.0.0.1", "connection: close"]
  for (let more = upTo(random, 2); more > 0; more--) if (random() < 0.4) headers.push(pick(random, oddHeaders))
  const spoiled = (path: string) =>
    random() < 0.6 ? mutateBytes(random, Buffer.from(path)).toString("latin1").replaceAll(/[\r\n]/gu, "%0a") : path
  if (random() < 0.55) {
    const method = random() < 0.8
      ? "GET"
      : pick(random, ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
    const whole = request(method, spoiled(pick(random, paths)).replaceAll(" ", "%20"), headers, "")
    return random() < 0.1 ? mutateBytes(random, whole) : whole
  }
  const [path, given] = pick(random, posts)
  const value = random() < 0.8 ? mutateJson(random, given) : given
  const text = JSON.stringify(value) ?? "null"
  const body = random() < 0.15 ? mutateBytes(random, Buffer.from(text)).toString("latin1") : text
  if (random() < 0.95) {
    headers.push("content-type: application/json", `content-length: ${Buffer.byteLength(body, "latin1")}`)
  }
  return request("POST", random() < 0.2 ? spoiled(path).replaceAll(" ", "%20") : path, headers, body)
}

interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
  readonly isWhole: boolean
}

const parse = (bytes: Buffer, isWhole: boolean): Answer | undefined => {
  const text = bytes.toString("latin1")
  const end = text.indexOf("\r\n\r\n")
  const status = /^HTTP\/1\.1 (\d{3}) /u.exec(text)?.[1]
  if (end === -1 || status === undefined) return undefined
  if (status === "100") return parse(bytes.subarray(end + 4), isWhole)
  return { status: Number(status), head: text.slice(0, end).toLowerCase(), body: text.slice(end + 4), isWhole }
}

/** Sends it all and says that there is no more; what comes until the end, the limit or the deadline. */
const exchange = (port: number, bytes: Buffer) =>
  new Promise<{ readonly answer: Answer | undefined; readonly received: number; readonly isLate: boolean }>(
    (resolve) => {
      const socket = connect({ host: "127.0.0.1", port })
      const chunks: Array<Buffer> = []
      let received = 0
      const done = (isLate: boolean, isWhole: boolean) => {
        clearTimeout(timer)
        socket.destroy()
        resolve({ answer: parse(Buffer.concat(chunks), isWhole), received, isLate })
      }
      const timer = setTimeout(() => done(true, false), answerMillis)
      socket.on("data", (chunk) => {
        chunks.push(chunk)
        received += chunk.length
        if (received > maxAnswerBytes || chunk.includes("text/event-stream")) done(false, false)
      })
      socket.on("error", () => {})
      socket.on("close", () => done(false, true))
      socket.end(bytes)
    }
  )

const mayBe = new Set([200, 204, 302, 304, 400, 401, 403, 404, 405, 408, 409, 413, 415, 417, 422, 429, 431, 503])

const unchunked = (text: string): string => {
  let body = ""
  let at = 0
  for (;;) {
    const end = text.indexOf("\r\n", at)
    const size = Number.parseInt(text.slice(at, end), 16)
    if (end === -1 || !(size > 0)) return body
    body += text.slice(end + 2, end + 2 + size)
    at = end + 2 + size + 2
  }
}

const judge = (bytes: Buffer, answer: Answer): string | undefined => {
  const { body, head, isWhole, status } = answer
  if (!mayBe.has(status)) return `status ${status}: ${body.slice(0, 300)}`
  // Only from the root of the documentation to where it stands.
  if (status === 302 && !/^location: docs\/\r?$/mu.test(head)) return `sent elsewhere: ${head}`
  if (status < 400 || !isWhole || bytes.toString("latin1", 0, 5) === "HEAD ") return undefined
  // Who does not say which host is refused by Node itself, without a word.
  if (status === 400 && !/\r\nhost:/iu.test(bytes.toString("latin1").replace(/\r\n\r\n[^]*$/u, ""))) return undefined
  if (!head.includes("content-type: application/problem+json")) return `status ${status} without a problem: ${head}`
  try {
    const length = /content-length: (\d+)/u.exec(head)?.[1]
    const text = head.includes("transfer-encoding: chunked")
      ? unchunked(body)
      : body.slice(0, Number(length ?? Infinity))
    const problem = JSON.parse(Buffer.from(text, "latin1").toString()) as Record<string, unknown>
    const isProblem = problem["status"] === status &&
      ["type", "title", "detail", "code"].every((key) => typeof problem[key] === "string")
    return isProblem ? undefined : `status ${status} with another problem: ${text.slice(0, 300)}`
  } catch {
    return `status ${status} with a body that can't be read: ${body.slice(0, 300)}`
  }
}

export const target: Target<Buffer> = {
  name: "http",
  async start() {
    const { close, value: port } = await open(Effect.gen(function*() {
      const { origin, plane } = yield* startDashboard({ maxWaiting: 1_000, maxDead: 100, maxHistory: 1_000 })
      const echo = Task.define("echo", { run: () => Effect.void })
      yield* startWorker(plane, echo.layer, { id: "honest" })
      const client = yield* startClient(plane)
      yield* client.run(echo, {}, { id: "known" })
      return Number(new URL(origin).port)
    }))
    return {
      async attempt(bytes) {
        const { answer, isLate, received } = await exchange(port, bytes)
        if (isLate) return `no end within ${answerMillis} ms after ${received} bytes`
        // What is no request to the end may end without an answer.
        const problem = answer === undefined ? undefined : judge(bytes, answer)
        if (problem !== undefined) return problem
        const after = await exchange(port, request("GET", "/healthz", ["host: 127.0.0.1", "connection: close"], ""))
        if (after.answer?.status !== 200) return "it does not serve afterwards"
        return process.memoryUsage().heapUsed > maxHeapBytes ? `more than ${maxHeapBytes} bytes in use` : undefined
      },
      stop: close
    }
  },
  generate,
  simpler: simplerBytes,
  print: printBytes
}
