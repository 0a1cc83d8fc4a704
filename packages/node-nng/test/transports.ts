/** Every kind of transport, with the addresses and certificates that tests need. */
import type { DialOptions, ListenOptions } from "../src/index.ts"
import { ca, client, server } from "./fixtures/certificates.ts"
import { freePort } from "./raw.ts"
import type { Scope } from "./scope.ts"

export const kinds = ["tcp", "tls+tcp", "ws", "wss", "ipc", "abstract", "inproc"] as const
export type Kind = (typeof kinds)[number]

/** The kinds that a stranger can reach with bare TCP. */
export const tcpKinds = ["tcp", "tls+tcp", "ws", "wss"] as const

export const listenOptions: ListenOptions = { tls: { ...server } }
export const dialOptions: DialOptions = { tls: { ca } }

export const mutualListenOptions: ListenOptions = { tls: { ...server, ca, requireClientCertificate: true } }
export const mutualDialOptions: DialOptions = { tls: { ca, ...client } }

let names = 0

/** An address to listen on: port 0, or a free one for a listener that cannot tell which it got. */
export const addressOf = async (kind: Kind, scope: Scope, port: "any" | "known" = "any"): Promise<string> => {
  const name = `node-nng-${process.pid}-${names++}`
  if (kind === "ipc") return `ipc://${scope.directory()}/s`
  if (kind === "abstract" || kind === "inproc") return `${kind}://${name}`
  const path = kind.startsWith("ws") ? "/some/path" : ""
  return `${kind}://127.0.0.1:${port === "any" ? 0 : await freePort()}${path}`
}
