/** The worker of the `node:net` ceiling. */
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { createServer } from "node:net"
import { makeExecutions, serveUntilStopped } from "../../executions.ts"
import { work } from "../raw.ts"
import { makeFrames } from "./frames.ts"

const count = makeExecutions()
const server = createServer((socket) => {
  socket.on("error", () => socket.destroy())
  const send = makeFrames(socket, (id, body) => {
    count()
    send(id, [work(body)])
  })
}).listen(0, "127.0.0.1")
await once(server, "listening")
console.log((server.address() as AddressInfo).port)
serveUntilStopped()
