/** The client of the `node:net` ceiling. */
import { once } from "node:events"
import { connect as connectSocket } from "node:net"
import { decodeResult, encodeJob } from "../raw.ts"
import type { Client, ClientModule } from "../system.ts"
import { makeFrames } from "./frames.ts"

export const connect: ClientModule["connect"] = async (connection): Promise<Client> => {
  const { port } = connection as { readonly port: number }
  const socket = connectSocket({ port, host: "127.0.0.1" })
  await once(socket, "connect")
  const waiting = new Map<number, (value: number) => void>()
  let last = 0
  const send = makeFrames(socket, (id, body) => {
    waiting.get(id)?.(decodeResult(body))
    waiting.delete(id)
  })
  return {
    run: (job) =>
      new Promise((resolve) => {
        waiting.set(++last, resolve)
        send(last, encodeJob(job))
      }),
    async close() {
      socket.destroy()
    }
  }
}
