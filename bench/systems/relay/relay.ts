/** The process in the middle of the `node:net` ceiling: passes on what it reads, as it comes. */
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { connect, createServer } from "node:net"
import { serveUntilStopped } from "../../executions.ts"

/** Bytes that it takes before it waits for the other side: by default so few that large frames go back and forth. */
const highWaterMark = 4 * 1_024 * 1_024

const server = createServer({ noDelay: true, highWaterMark }, (client) => {
  const options = { port: Number(process.argv[2]), host: "127.0.0.1", noDelay: true, highWaterMark }
  const worker = connect(options)
  client.pipe(worker).on("error", () => client.destroy())
  worker.pipe(client).on("error", () => worker.destroy())
}).listen(0, "127.0.0.1")
await once(server, "listening")
console.log((server.address() as AddressInfo).port)
serveUntilStopped()
