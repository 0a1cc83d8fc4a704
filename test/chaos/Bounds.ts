/**
 * Drives a real control plane to its bounds: waiting tasks, kept results, connections, sizes, uncollected outcomes. Each
 * check starts its own processes, throws when something is wrong, and returns the line to print.
 */
import * as Effect from "effect/Effect"
import { FastWorker } from "fastworker/promise"
import { Req } from "node-nng"
import { readFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { connect as connectClient } from "../../src/layers/NodeClient.ts"
import { Cluster, eventually, type Ready, type Running } from "../harness/Cluster.ts"
import { frameHead, greeting, protocols } from "../harness/RawPeer.ts"
import { add, fill, take } from "./bounded.ts"

const taskFile = fileURLToPath(new URL("bounded.ts", import.meta.url))

/** Submissions of one call: handles are made for them. */
const chunk = 5_000

const check = (holds: boolean, what: string) => {
  if (!holds) throw new Error(what)
}

const tagOf = (error: unknown) =>
  typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : String(error)

/** How a call fails; a call that does not fail is an error. */
const failureOf = async (call: Promise<unknown>): Promise<Error> => {
  const error = await call.then(() => undefined, (error: unknown) => error)
  check(error instanceof Error, "a call succeeded that had to fail")
  return error as Error
}

/** Memory of a process that is really there, in bytes. */
export const residentBytes = (pid: number): number =>
  1_024 * Number(/^VmRSS:\s+(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])

/** Files and sockets that a process may have open. */
export const maxOpenFiles = (): number =>
  Number(/^Max open files\s+(\d+)/mu.exec(readFileSync("/proc/self/limits", "utf8"))?.[1])

interface The {
  readonly plane: Running & { readonly ready: Ready }
  readonly client: FastWorker
  readonly cluster: Cluster
}

/** The whole client, for what the one of promises does not have. */
const eyes = ({ ready }: The["plane"]) =>
  Effect.acquireRelease(connectClient({ controlPlane: ready.address }), ({ close }) => close)

/** A control plane with these flags, a worker and a client. */
const within = async (flags: ReadonlyArray<string>, use: (the: The) => Promise<string>): Promise<string> => {
  await using cluster = await Cluster.make()
  const plane = await cluster.controlPlane(flags)
  await cluster.worker(["--id", "steady", "--concurrency", "256", "--tasks", taskFile])
  await using client = await FastWorker.connect({ controlPlane: plane.ready.address })
  return await use({ plane, client, cluster })
}

/** As many waiting tasks as there may be, and one more. */
export const waitingTasks = (count: number) =>
  within(["--max-waiting", String(count), "--result-cache-size", "1000"], async ({ client, plane }) => {
    // A worker is there, so that the name is known, and gets nothing.
    await Effect.runPromise(Effect.scoped(Effect.flatMap(eyes(plane), (all) => all.pause())))
    const before = residentBytes(plane.pid)
    const startedAt = performance.now()
    for (let x = 0; x < count; x += chunk) {
      const args = Array.from({ length: Math.min(chunk, count - x) }, (_, i) => ({ x: x + i, y: 1 }))
      await client.delayAll(add, args, { ignoreResult: true })
    }
    const perSecond = count / (performance.now() - startedAt) * 1_000
    const bytes = (residentBytes(plane.pid) - before) / count
    const full = await failureOf(client.delay(add, { x: 0, y: 0 }))
    check(tagOf(full) === "QueueFull", `one task too many: ${tagOf(full)}`)
    const { submitted, waiting } = await client.stats()
    check(waiting === count && submitted === count, `${waiting} wait, ${submitted} were submitted`)

    await Effect.runPromise(Effect.scoped(Effect.flatMap(eyes(plane), (all) => all.resume())))
    await eventually("all have run", async () => (await client.stats()).succeeded === count, 300_000)
    check(await client.run(add, { x: 1, y: 2 }) === 3, "a wrong sum after it")
    return `${count} tasks wait: ${bytes.toFixed(0)} bytes of memory each, accepted at ${perSecond.toFixed(0)}/s; ` +
      `the next is refused (QueueFull); then all run`
  })

/** More results than may be kept. */
export const keptResults = (count: number, bytes: number) =>
  within(["--result-cache-bytes", String(10 * bytes)], async ({ client }) => {
    const handles = []
    for (let i = 0; i < count; i++) handles.push(await client.delay(fill, { bytes }))
    // Waited for only after they have ended: what is awaited before is not taken from the cache.
    await eventually("all have run", async () => (await client.stats()).succeeded === count, 60_000)
    const { resultBytes, results } = await client.stats()
    check(resultBytes <= 10 * bytes, `${resultBytes} bytes are kept, ${10 * bytes} is the bound`)
    check(results >= 5 && results <= 10, `${results} results are kept`)
    const answers = await Promise.all(
      handles.map(({ result }) => result().then(({ length }) => String(length), tagOf))
    )
    check(answers.filter((answer) => answer === String(bytes)).length === results, `kept: ${answers.join(" ")}`)
    check(answers.filter((answer) => answer === "ResultEvicted").length === count - results, answers.join(" "))
    return `${count} results of ${bytes} bytes: ${results} are kept (${resultBytes} bytes), the others are said to be evicted`
  })

/** Many who connect, greet, and say nothing. */
export const silentConnections = (count: number) =>
  within([], async ({ client, cluster, plane }) => {
    const before = residentBytes(plane.pid)
    const sockets: Array<Socket> = []
    let open = 0
    const dial = (address: string) =>
      new Promise<void>((resolve) => {
        const { hostname, port } = new URL(address.replace("tcp:", "http:"))
        const socket = connect(Number(port), hostname)
        sockets.push(socket)
        socket.on("error", () => resolve())
        socket.once("close", () => open--)
        socket.once("connect", () => {
          open++
          socket.write(greeting(protocols.req))
          // The other side's greeting says that the connection was taken.
          socket.once("data", () => resolve())
        })
        socket.once("close", () => resolve())
      })
    try {
      const addresses = [plane.ready.address, plane.ready.workerAddress]
      for (let i = 0; i < count; i += 100) {
        await Promise.all(Array.from({ length: Math.min(100, count - i) }, (_, k) => dial(addresses[k % 2] ?? "")))
      }
      check(open === count, `${open} of ${count} connections are open`)
      const each = (residentBytes(plane.pid) - before) / count
      for (let x = 0; x < 100; x++) check(await client.run(add, { x, y: 1 }) === x + 1, "a wrong sum")
      await using late = await FastWorker.connect({ controlPlane: plane.ready.address })
      check(await late.run(add, { x: 1, y: 1 }) === 2, "a wrong sum for one who came late")
      await cluster.worker(["--id", "late", "--tasks", taskFile])
      check(open === count, `${count - open} connections were closed meanwhile`)
      return `${count} silent connections: ${each.toFixed(0)} bytes each; clients and workers, old and new, work`
    } finally {
      for (const socket of sockets) socket.destroy()
    }
  })

/** Arguments of a size that nobody should send: by a client that knows the limit, one that does not, and a stranger. */
export const largeArguments = (bytes: number, times: number) =>
  within(["--max-payload", "1MiB"], async ({ client, plane }) => {
    const blob = "x".repeat(bytes)
    const polite = await failureOf(client.delay(take, { blob }))
    check(tagOf(polite) === "TooLarge", `a client that knows the limit: ${tagOf(polite)}`)
    await using careless = await FastWorker.connect({
      controlPlane: plane.ready.address,
      maxPayloadBytes: 2 * bytes,
      deadlineMillis: 3_000
    })
    const slightly = await failureOf(careless.delay(take, { blob: blob.slice(0, 2 * 1024 * 1024) }))
    check(tagOf(slightly) === "TooLarge", `2 MiB from a client with another limit: ${tagOf(slightly)}`)
    const before = residentBytes(plane.pid)
    let answer = ""
    for (let i = 0; i < times; i++) {
      const rude = await failureOf(careless.delay(take, { blob }))
      answer = `${tagOf(rude)}: ${rude.message}`
      check(["TooLarge", "Unreachable"].includes(tagOf(rude)), `${bytes} bytes: ${answer}`)
    }
    const { hostname, port } = new URL(plane.ready.address.replace("tcp:", "http:"))
    const stranger = connect(Number(port), hostname)
    let isClosed = false
    stranger.on("error", () => {}).on("close", () => isClosed = true).resume()
    stranger.write(Buffer.concat([greeting(protocols.req), frameHead(BigInt(bytes))]))
    await eventually("a stranger's connection is closed", () => isClosed)
    check(/message|bytes/u.test(plane.stderr()), `the control plane says why: ${plane.stderr()}`)
    const grown = residentBytes(plane.pid) - before
    check(grown < bytes, `memory has grown by ${grown} bytes after ${times} arguments of ${bytes}`)
    check(await client.run(take, { blob: "abc" }) === 3, "others are disturbed")
    return `${bytes} bytes of arguments are refused: ${
      tagOf(polite)
    } by the client; sent all the same, ${times} times ` +
      `(${answer.slice(0, 60)}…), memory grew by ${(grown / 1024 / 1024).toFixed(1)} MiB`
  })

/** A client that asks for outcomes and never takes them. */
export const uncollectedOutcomes = (batches: number, size: number) =>
  within([], async ({ client, plane }) => {
    const req = new Req({ receiveMaxBytes: 0 })
    req.dial(plane.ready.address)
    try {
      const session = "0".repeat(31) + "1"
      const say = async (header: object, body = "") => {
        const reply = await req.request(`${JSON.stringify({ v: 1, ...header })}\n${body}`, { timeoutMillis: 30_000 })
        const text = Buffer.from(reply).toString()
        return JSON.parse(text.slice(0, text.indexOf("\n"))) as {
          readonly refused?: ReadonlyArray<{ readonly error: { readonly _tag: string } }>
        }
      }
      const args = JSON.stringify({ x: 1, y: 1 })
      const task = { name: "add", size: args.length, watch: true }
      let accepted = 0
      let refused = 0
      for (let i = 0; i < batches; i++) {
        const reply = await say(
          { op: "submit", session, tasks: Array.from({ length: size }, () => task) },
          args.repeat(size)
        )
        const tags = reply.refused?.map(({ error }) => error._tag) ?? []
        check(tags.every((tag) => tag === "OutboxFull"), `refused: ${[...new Set(tags)].join(", ")}`)
        accepted += size - tags.length
        refused += tags.length
        check(await client.run(add, { x: i, y: 1 }) === i + 1, "others are disturbed")
      }
      check(refused > 0, `${accepted} outcomes that nobody collects were accepted, none was refused`)
      await eventually("all have run", async () => (await client.stats()).succeeded === accepted + batches, 60_000)
      return `a client that collects nothing: ${accepted} tasks accepted, ${refused} refused (OutboxFull), others undisturbed`
    } finally {
      await req.close()
    }
  })
