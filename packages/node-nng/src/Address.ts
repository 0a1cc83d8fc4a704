/**
 * Addresses as text: parsed and checked, not resolved. Source: nng `nng_url_parse` and the transports' own rules.
 */
import { isIP } from "node:net"
import { NngError } from "./Errors.ts"

/** What the addresses over TCP share. */
interface HostAndPort {
  readonly text: string
  /** Empty for all interfaces. */
  readonly host: string
  readonly port: number
  /** 4 or 6 when the scheme forces a family, else 0. */
  readonly family: 0 | 4 | 6
  /** True for tls+tcp and wss. */
  readonly tls: boolean
}

/** tcp:// and tls+tcp://. */
export interface TcpAddress extends HostAndPort {
  readonly transport: "tcp"
}

/** ws:// and wss://. */
export interface WsAddress extends HostAndPort {
  readonly transport: "ws"
  /** Starts with a slash; a query belongs to it. */
  readonly path: string
}

/** A parsed address; `text` is what the caller wrote. */
export type Address =
  | TcpAddress
  | WsAddress
  | {
    readonly transport: "ipc"
    readonly text: string
    /** File system path; an abstract name starts with NUL. */
    readonly path: string
  }
  | { readonly transport: "inproc"; readonly text: string; readonly name: string }

/** sun_path holds 108 bytes on Linux, its end mark included, and 104 on the BSDs and macOS. */
const pathMaxBytes = process.platform === "linux" ? 107 : 103

const schemes =
  "tcp://, tls+tcp://, ws://, wss:// (each with 4 or 6 to force a family), ipc://, unix://, abstract:// " +
  "or inproc://"

const invalid = (text: string, why: string): NngError => new NngError("EADDRINVAL", `address "${text}": ${why}`)

/** Reads [IPv6]:port/path or host:port/path; the port and the path may be missing. */
const hostPortPath = /^(?:\[([^\]]*)\]|([^:[\]/?#]*))(?::(\d{1,5}))?(\/[^\s#]*)?$/

const parseTcp = (text: string, scheme: string, rest: string): TcpAddress | WsAddress => {
  const [, bracketed, plain, digits, path = "/"] = hostPortPath.exec(rest) ?? []
  const host = bracketed ?? plain
  if (host === undefined) throw invalid(text, "expected host:port, with an IPv6 address in brackets")
  const common = {
    text,
    // RFC 6874 writes the zone's percent sign escaped.
    host: host === "*" ? "" : host.replace("%25", "%"),
    family: scheme.endsWith("4") ? 4 : scheme.endsWith("6") ? 6 : 0
  } as const
  if (bracketed !== undefined && !bracketed.includes(":")) throw invalid(text, "brackets are for IPv6 addresses only")
  if (common.family !== 0 && isIP(common.host) === 10 - common.family) {
    throw invalid(text, `the host is no IPv${common.family} address, which ${scheme}:// asks for`)
  }
  const tls = scheme.startsWith("tls") || scheme.startsWith("wss")
  const port = Number(digits ?? (tls ? 443 : 80))
  if (port > 65_535) throw invalid(text, "the port must be at most 65535")
  if (scheme.startsWith("ws")) return { transport: "ws", ...common, port, tls, path }
  if (digits === undefined) throw invalid(text, "the port is missing: expected host:port")
  if (path !== "/") throw invalid(text, "a path belongs to ws:// and wss:// only")
  return { transport: "tcp", ...common, port, tls }
}

const parsePath = (text: string, path: string): Address => {
  if (path === "") throw invalid(text, "the path is empty")
  if (path.includes("\0")) throw invalid(text, "the path holds a NUL")
  if (Buffer.byteLength(path) > pathMaxBytes) {
    throw invalid(text, `the path is longer than the ${pathMaxBytes} bytes the system allows; use a shorter one`)
  }
  return { transport: "ipc", text, path }
}

const parseAbstract = (text: string, encoded: string): Address => {
  if (process.platform !== "linux") throw invalid(text, "abstract sockets exist on Linux only; use ipc://")
  let name: string
  try {
    name = decodeURIComponent(encoded)
  } catch {
    throw invalid(text, "the name has a broken percent escape")
  }
  if (name === "") throw invalid(text, "the name is empty")
  if (Buffer.byteLength(name) > pathMaxBytes) throw invalid(text, `the name is longer than ${pathMaxBytes} bytes`)
  return { transport: "ipc", text, path: `\0${name}` }
}

/** Parses an address; fails with EADDRINVAL. Nothing is looked up, so a host that does not exist passes. */
export const parseAddress = (text: string): Address => {
  const end = text.indexOf("://")
  const scheme = end < 0 ? "" : text.slice(0, end)
  const rest = text.slice(end + 3)
  switch (scheme) {
    case "ipc":
    case "unix":
      return parsePath(text, rest)
    case "abstract":
      return parseAbstract(text, rest)
    case "inproc":
      if (rest === "") throw invalid(text, "the name is empty")
      return { transport: "inproc", text, name: rest }
    default:
      if (/^(?:tcp|tls\+tcp|wss?)[46]?$/.test(scheme)) return parseTcp(text, scheme, rest)
      throw invalid(text, `it must start with ${schemes}`)
  }
}

/** Parses an address that can be dialed: as `parseAddress`, and over TCP it needs a host and a port above 0. */
export const parseDialAddress = (text: string): Address => {
  const address = parseAddress(text)
  if ("host" in address) {
    if (address.host === "") throw invalid(text, "name the host to dial")
    if (address.port === 0) throw invalid(text, "port 0 can be listened on but not dialed")
  }
  return address
}

/** The scheme of an address over TCP, with `://` and without a forced family. */
export const schemeOf = (address: TcpAddress | WsAddress): string => {
  if (address.transport === "ws") return address.tls ? "wss://" : "ws://"
  return address.tls ? "tls+tcp://" : "tcp://"
}

/** Prints an address over TCP; an IPv4 address mapped into IPv6 is printed as IPv4. */
export const formatTcp = (scheme: string, host: string, port: number): string => {
  const plain = host.startsWith("::ffff:") && host.includes(".") ? host.slice(7) : host
  return plain.includes(":") ? `${scheme}[${plain}]:${port}` : `${scheme}${plain}:${port}`
}
