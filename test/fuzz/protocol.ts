/** A control plane that is sent messages over real connections: each is answered, and afterwards it still serves. */
import * as Effect from "effect/Effect"
import { Req } from "node-nng"
import { Buffer } from "node:buffer"
import * as Task from "../../src/domain/TaskDefinition.ts"
import { startControlPlane, startWorker } from "../harness/Roles.ts"
import type { Random, Target } from "./Fuzz.ts"
import { open } from "./live.ts"
import { clientHeaders, message, workerHeaders } from "./messages.ts"
import { printBytes, simplerBytes } from "./mutate.ts"

interface Input {
  readonly to: "clients" | "workers"
  readonly bytes: Buffer
}

const answerMillis = 5_000
const maxHeapBytes = 400 * 1024 * 1024

/** Whether the answer may take its time: it asked for something to wait for. */
const mayWait = (bytes: Buffer): boolean => {
  try {
    const end = bytes.indexOf(10)
    const header = JSON.parse(bytes.toString("utf8", 0, end === -1 ? bytes.length : end)) as {
      op?: unknown
      wait?: unknown
    }
    return header.op === "exchange" || header.wait !== 0
  } catch {
    return false
  }
}

const answered = (socket: Req, bytes: Buffer, timeoutMillis: number) =>
  new Promise<string | undefined>((resolve) => {
    socket.requestWith([bytes], { timeoutMillis, resendMillis: 0 }, (error, reply) =>
      resolve(error === null ? Buffer.from(reply ?? []).toString() : undefined))
  })

const stats = Buffer.from(`{"v":1,"op":"stats"}`)

export const target: Target<Input> = {
  name: "protocol",
  async start() {
    const { close, value } = await open(Effect.gen(function*() {
      const plane = yield* startControlPlane({
        maxWaiting: 1_000,
        maxDead: 100,
        maxHistory: 1_000,
        startGraceMillis: 0
      })
      const echo = Task.define("echo", { run: () => Effect.void })
      yield* startWorker(plane, echo.layer, { id: "honest" })
      return plane
    }))
    const dial = (address: string) => {
      const socket = new Req({ reconnectMinMillis: 5, reconnectMaxMillis: 50, receiveMaxBytes: 64 * 1024 * 1024 })
      socket.dial(address)
      return socket
    }
    const sockets = { clients: dial(value.address), workers: dial(value.workerAddress) }
    return {
      async attempt({ bytes, to }) {
        // An empty request is not sent by any library.
        if (bytes.length === 0) return undefined
        const patient = mayWait(bytes)
        const reply = await answered(sockets[to], bytes, patient ? 20 : answerMillis)
        if (reply === undefined && !patient) return `no answer within ${answerMillis} ms`
        if (reply !== undefined) {
          const header = JSON.parse(reply.slice(0, `${reply}\n`.indexOf("\n"))) as { readonly v?: unknown }
          if (header.v !== 1) return `an answer without a version: ${reply.slice(0, 200)}`
        }
        const after = await answered(sockets.clients, stats, answerMillis)
        if (after?.includes("\"stats\"") !== true) return "it does not serve afterwards"
        const { heapUsed } = process.memoryUsage()
        return heapUsed > maxHeapBytes ? `more than ${maxHeapBytes} bytes in use` : undefined
      },
      async stop() {
        await sockets.clients.close()
        await sockets.workers.close()
        await close()
      }
    }
  },
  generate: (random: Random) =>
    random() < 0.6
      ? { to: "clients", bytes: message(random, clientHeaders) }
      : { to: "workers", bytes: message(random, workerHeaders) },
  *simpler({ bytes, to }) {
    for (const simpler of simplerBytes(bytes)) yield { to, bytes: simpler }
  },
  print: ({ bytes, to }) => `to ${to}: ${printBytes(bytes)}`
}
