/**
 * Addresses as text: parsed and checked, not resolved. Source: nng `nng_url_parse` and the transports' own rules.
 */
import { NngError } from "./Errors.ts"

/** A parsed address; `text` is what the caller wrote. */
export type Address =
  | {
    readonly transport: "tcp"
    readonly text: string
    /** Empty for all interfaces. */
    readonly host: string
    readonly port: number
    /** 4 or 6 when the scheme forces a family, else 0. */
    readonly family: 0 | 4 | 6
  }
  | {
    readonly transport: "ipc"
    readonly text: string
    /** File system path; an abstract name starts with NUL. */
    readonly path: string
  }
  | { readonly transport: "inproc"; readonly text: string; readonly name: string }

/** sun_path holds 108 bytes on Linux, its end mark included, and 104 on the BSDs and macOS. */
const pathMaxBytes = process.platform === "linux" ? 107 : 103

const schemes = "tcp://, tcp4://, tcp6://, ipc://, unix://, abstract:// or inproc://"

const invalid = (text: string, why: string): NngError => new NngError("EADDRINVAL", `address "${text}": ${why}`)

const parseTcp = (text: string, rest: string, family: 0 | 4 | 6): Address => {
  const match = /^(?:\[([^\]]*)\]|([^:[\]/]*)):(\d{1,5})\/?$/.exec(rest)
  if (match === null) throw invalid(text, "expected host:port, with an IPv6 address in brackets")
  const port = Number(match[3])
  if (port > 65_535) throw invalid(text, "the port must be at most 65535")
  const host = match[1] ?? match[2] ?? ""
  return { transport: "tcp", text, host: host === "*" ? "" : host, port, family }
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
    case "tcp":
      return parseTcp(text, rest, 0)
    case "tcp4":
      return parseTcp(text, rest, 4)
    case "tcp6":
      return parseTcp(text, rest, 6)
    case "ipc":
    case "unix":
      return parsePath(text, rest)
    case "abstract":
      return parseAbstract(text, rest)
    case "inproc":
      if (rest === "") throw invalid(text, "the name is empty")
      return { transport: "inproc", text, name: rest }
    default:
      throw invalid(text, `it must start with ${schemes}`)
  }
}

/** Parses an address that can be dialed: as `parseAddress`, and tcp needs a host and a port above 0. */
export const parseDialAddress = (text: string): Address => {
  const address = parseAddress(text)
  if (address.transport === "tcp") {
    if (address.host === "") throw invalid(text, "name the host to dial")
    if (address.port === 0) throw invalid(text, "port 0 can be listened on but not dialed")
  }
  return address
}

/** Prints a tcp address; an IPv4 address mapped into IPv6 is printed as IPv4. */
export const formatTcp = (host: string, port: number): string => {
  const plain = host.startsWith("::ffff:") && host.includes(".") ? host.slice(7) : host
  return plain.includes(":") ? `tcp://[${plain}]:${port}` : `tcp://${plain}:${port}`
}
