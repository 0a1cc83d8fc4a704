/** A page in a real, headless Chromium, driven over the DevTools protocol. Waits on the page's own changes, not on time. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"

export const executable = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync)

interface Answer {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

export interface Page {
  readonly send: (method: string, params?: object) => Effect.Effect<unknown>
  /** The value of an expression in the page; promises are waited for. */
  readonly evaluate: <A>(expression: string) => Effect.Effect<A>
  /** Waits until the expression is truthy: looks again whenever the document changes. */
  readonly until: <A>(expression: string) => Effect.Effect<A>
  /** What the page fetched, and what it complained about: exceptions, violations of its policy, failed loads. */
  readonly requests: ReadonlyArray<string>
  readonly problems: ReadonlyArray<string>
}

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--remote-debugging-port=0"
]

const start = (path: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const profile = mkdtempSync(join(tmpdir(), "fastworker-chromium-"))
      const browser = spawn(path, [...flags, `--user-data-dir=${profile}`], { stdio: ["ignore", "ignore", "pipe"] })
      const exited = once(browser, "exit")
      for await (const line of createInterface(browser.stderr)) {
        const url = /DevTools listening on (ws:\S+)/u.exec(line)?.[1]
        if (url === undefined) continue
        browser.stderr.resume()
        return { url, browser, exited, profile }
      }
      throw new Error("Chromium ended before it could be driven")
    }),
    ({ browser, exited, profile }) =>
      Effect.promise(async () => {
        browser.kill("SIGKILL")
        await exited
        // Its helper processes may still write for a moment.
        rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
      })
  )

/** Opens a page; it and its browser end with the scope. */
export const open = Effect.fnUntraced(function*(path: string, url: string) {
  const { url: devtools } = yield* start(path)
  const socket = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const socket = new WebSocket(devtools)
      await once(socket, "open")
      return socket
    }),
    (socket) => Effect.sync(() => socket.close())
  )
  const waiting = new Map<number, (answer: Answer) => void>()
  const requests: Array<string> = []
  const problems: Array<string> = []
  socket.addEventListener("message", ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
    if (answer.method === "Runtime.exceptionThrown" || answer.method === "Log.entryAdded") {
      problems.push(JSON.stringify(answer.params))
    }
    if (answer.method === "Network.requestWillBeSent") {
      requests.push((answer.params as { readonly request: { readonly url: string } }).request.url)
    }
  })
  let last = 0
  let sessionId: string | undefined
  const send = (method: string, params: object = {}) =>
    Effect.callback<unknown>((resume) => {
      const id = ++last
      waiting.set(id, ({ error, result }) => {
        waiting.delete(id)
        resume(error === undefined ? Effect.succeed(result) : Effect.die(new Error(`${method}: ${error.message}`)))
      })
      socket.send(JSON.stringify({ id, method, params, sessionId }))
    })
  const evaluate = <A>(expression: string) =>
    Effect.flatMap(send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }), (answer) => {
      const { exceptionDetails, result } = answer as { exceptionDetails?: unknown; result: { value: A } }
      return exceptionDetails === undefined
        ? Effect.succeed(result.value)
        : Effect.die(new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`))
    })
  const until = <A>(expression: string) =>
    evaluate<A>(`new Promise((resolve) => {
      const look = () => {
        const value = ${expression}
        if (value) {
          observer.disconnect()
          resolve(value)
        }
      }
      const observer = new MutationObserver(look)
      observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true })
      look()
    })`).pipe(
      Effect.timeoutOrElse({
        duration: "40 seconds",
        orElse: () =>
          Effect.flatMap(
            evaluate<string>("document.body.innerText"),
            (text) => Effect.die(new Error(`the page never came to: ${expression}\nIt says:\n${text}`))
          )
      })
    )

  const { targetId } = (yield* send("Target.createTarget", { url: "about:blank" })) as { readonly targetId: string }
  const attached = yield* send("Target.attachToTarget", { targetId, flatten: true })
  sessionId = (attached as { readonly sessionId: string }).sessionId
  yield* Effect.forEach(["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"], (method) => send(method))
  yield* send("Page.navigate", { url })
  yield* until(`document.readyState === "complete" && location.href !== "about:blank"`)
  return { send, evaluate, until, requests, problems } satisfies Page
})
