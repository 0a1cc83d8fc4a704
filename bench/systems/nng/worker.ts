/** The worker of the node-nng ceiling. */
import { Rep } from "node-nng"
import { makeExecutions, serveUntilStopped } from "../../executions.ts"
import { work } from "../raw.ts"

const count = makeExecutions()
const rep = new Rep({ receiveMaxBytes: 0 })
rep.onRequest((request) => {
  const { body } = request
  count()
  request.reply(work(Buffer.from(body.buffer, body.byteOffset, body.byteLength)))
})
console.log((await rep.listen("tcp://127.0.0.1:0")).address)
serveUntilStopped()
