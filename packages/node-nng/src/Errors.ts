/**
 * The failures of this package. Codes follow `nng_err` of nng where it has one; `EAGAIN` stands for a full queue and
 * `EBUSY` for a limit on connections, of which a PAIR has one.
 */

/**
 * What went wrong, for programs. Source: nng `nng_err` (include/nng/nng.h); `EACCES` is the system's.
 */
export type NngErrorCode =
  | "EACCES"
  | "EADDRINUSE"
  | "EADDRINVAL"
  | "EAGAIN"
  | "EBUSY"
  | "ECANCELED"
  | "ECLOSED"
  | "ECONNREFUSED"
  | "ECONNRESET"
  | "ECRYPTO"
  | "EINVAL"
  | "EMSGSIZE"
  | "ENOENT"
  | "ENOTSUP"
  | "EPEERAUTH"
  | "EPERM"
  | "EPROTO"
  | "ESTATE"
  | "ESYSERR"
  | "ETIMEDOUT"
  | "EUNREACHABLE"

/**
 * The only error this package fails with: `code` is for programs, `message` says what was wrong and what to do, and
 * `cause` keeps the system's error or the abort reason when there was one.
 */
export class NngError extends Error {
  override readonly name = "NngError"
  readonly code: NngErrorCode

  constructor(code: NngErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const systemCodes: Readonly<Record<string, NngErrorCode>> = {
  EACCES: "EACCES",
  EADDRINUSE: "EADDRINUSE",
  EADDRNOTAVAIL: "EADDRINVAL",
  EAFNOSUPPORT: "EADDRINVAL",
  ECONNABORTED: "ECONNRESET",
  ECONNREFUSED: "ECONNREFUSED",
  ECONNRESET: "ECONNRESET",
  EHOSTUNREACH: "EUNREACHABLE",
  EINVAL: "EADDRINVAL",
  ENAMETOOLONG: "EADDRINVAL",
  ENETUNREACH: "EUNREACHABLE",
  // The directory or socket file of an ipc address; nng maps it the same way.
  ENOENT: "ECONNREFUSED",
  ENOTDIR: "EADDRINVAL",
  ENOTFOUND: "EADDRINVAL",
  EAI_AGAIN: "EUNREACHABLE",
  EPERM: "EPERM",
  EPIPE: "ECONNRESET",
  ETIMEDOUT: "ETIMEDOUT"
}

/** What OpenSSL says of a certificate that it does not trust, and Node of one for another name. */
const certificateError = /^(?!ERR_(?!TLS_CERT)).*(?:CERT|CRL|ISSUER|VERIFY)/
const tlsError = /^(?:ERR_SSL_|ERR_TLS_|ERR_OSSL_)/

/**
 * Wraps an error of node:net or node:tls: its code becomes the nearest `NngErrorCode` (`ESYSERR` when there is none), `action` says
 * what was being done.
 */
export const fromSystem = (error: Error & { readonly code?: unknown }, action: string): NngError => {
  const name = typeof error.code === "string" ? error.code : ""
  const code = systemCodes[name] ?? (certificateError.test(name) ? "EPEERAUTH" : tlsError.test(name) ? "ECRYPTO" : null)
  const detail = error.message === "" ? String(error.code) : error.message
  return new NngError(code ?? "ESYSERR", `${action}: ${detail}`, { cause: error })
}

/**
 * Raises what a user's callback threw as an uncaught exception on the next tick, so that a failing callback cannot stop
 * the parser or the other callbacks half way.
 */
export const raiseLater = (error: unknown): void => {
  process.nextTick(() => {
    throw error
  })
}
