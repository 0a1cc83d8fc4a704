/** The client of the node-nng ceiling. */
import { Req } from "node-nng"
import { decodeResult, encodeJob } from "../raw.ts"
import type { Client, ClientModule } from "../system.ts"

export const connect: ClientModule["connect"] = async (connection): Promise<Client> => {
  const { address } = connection as { readonly address: string }
  const req = new Req({ receiveMaxBytes: 0 })
  const connected = Promise.withResolvers<void>()
  req.onPipe(() => connected.resolve())
  req.dial(address)
  await connected.promise
  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        req.requestWith(encodeJob(job), {}, (error, reply) => {
          if (reply === null) reject(error ?? new Error("no reply"))
          else resolve(decodeResult(Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength)))
        })
      }),
    close: () => req.close()
  }
}
