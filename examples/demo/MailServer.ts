/** A mail server on loopback that counts what it gets, and refuses two kinds of recipients. */
import { Effect } from "effect"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { SMTPServer } from "smtp-server"

/** Recipients of these domains are refused with this code: nobody of that name, and mailbox full. */
export const refused = { "gone.example": 550, "full.example": 452 } as const

const refusal = (address: string) => {
  const [, domain = ""] = address.split("@")
  const code = refused[domain as keyof typeof refused]
  return code === undefined ? null : Object.assign(new Error("refused"), { responseCode: code })
}

/** Starts it on a free port; it is closed with the scope. */
export const start = Effect.acquireRelease(
  Effect.promise(async () => {
    const inbox: Array<string> = []
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["AUTH", "STARTTLS"],
      disableReverseLookup: true,
      logger: false,
      onRcptTo: ({ address }, _session, done) => done(refusal(address)),
      onData: (stream, { envelope }, done) => {
        stream.resume()
        stream.once("end", () => {
          inbox.push(...envelope.rcptTo.map(({ address }) => address))
          done()
        })
      }
    })
    const listener = server.listen(0, "127.0.0.1")
    await once(listener, "listening")
    // A worker that is killed cuts its connections: nothing to report.
    server.on("error", () => {})
    return { url: `smtp://127.0.0.1:${(listener.address() as AddressInfo).port}`, inbox, server }
  }),
  ({ server }) =>
    Effect.callback<void>((resume) => {
      server.close(() => resume(Effect.void))
      for (const connection of server.connections) connection.close()
    })
)
