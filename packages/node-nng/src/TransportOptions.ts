/** Options of a single listener or dialer. What holds for every address of a socket is among its own options. */
import type { SecureContext, SecureContextOptions } from "node:tls"
import * as Tls from "node:tls"
import { NngError } from "./Errors.ts"

/** PEM text, or several; bytes are read as text. */
export type Pem = string | Uint8Array | ReadonlyArray<string | Uint8Array>

/** TLS as a listener does it, for `tls+tcp://` and `wss://`. Versions below TLS 1.2 are not spoken. */
export interface ListenTlsOptions {
  /** Our certificate, with the chain behind it. No default: a listener has to have one. Source: NNG_OPT_TLS_CERT_KEY_FILE. */
  readonly cert: Pem
  /** The private key of `cert`. Source: NNG_OPT_TLS_CERT_KEY_FILE. */
  readonly key: Pem
  /** Decrypts `key`. Default: it is not encrypted. Source: `nng_tls_config_own_cert`. */
  readonly passphrase?: string | undefined
  /** Who may sign the certificates of clients. Default: the well-known authorities. Source: NNG_OPT_TLS_CA_FILE. */
  readonly ca?: Pem | undefined
  /** Turns away clients without a certificate signed by `ca`. Default false. Source: NNG_OPT_TLS_AUTH_MODE. */
  readonly requireClientCertificate?: boolean | undefined
}

/** TLS as a dialer does it, for `tls+tcp://` and `wss://`. Versions below TLS 1.2 are not spoken. */
export interface DialTlsOptions {
  /** Who may sign the certificate of the server. Default: the well-known authorities. Source: NNG_OPT_TLS_CA_FILE. */
  readonly ca?: Pem | undefined
  /** Our certificate, for listeners that require one. Default: none. Source: NNG_OPT_TLS_CERT_KEY_FILE. */
  readonly cert?: Pem | undefined
  /** The private key of `cert`. */
  readonly key?: Pem | undefined
  /** Decrypts `key`. Default: it is not encrypted. */
  readonly passphrase?: string | undefined
  /** Name the certificate must be for. Default: the host of the address. Source: NNG_OPT_TLS_SERVER_NAME. */
  readonly serverName?: string | undefined
  /**
   * Checks the certificate of the server. Default true; false encrypts but lets anybody answer.
   * Source: NNG_OPT_TLS_AUTH_MODE.
   */
  readonly verify?: boolean | undefined
}

/** Options of one listener. */
export interface ListenOptions {
  /** Required by `tls+tcp://` and `wss://`, unused by others. Source: NNG_OPT_TLS_CONFIG. */
  readonly tls?: ListenTlsOptions | undefined
  /**
   * Mode of the socket file of `ipc://`, such as 0o600. Default: what the umask leaves. It is set right after binding;
   * where even that moment counts, put the file into a directory that only the right users can enter.
   * Source: NNG_OPT_IPC_PERMISSIONS.
   */
  readonly permissions?: number | undefined
}

/** Options of one dialer. */
export interface DialOptions {
  /** For `tls+tcp://` and `wss://`, unused by others. Default: the well-known authorities. Source: NNG_OPT_TLS_CONFIG. */
  readonly tls?: DialTlsOptions | undefined
}

const pemText = (pem: Pem | undefined): SecureContextOptions["cert"] => {
  if (pem === undefined || typeof pem === "string") return pem
  if (pem instanceof Uint8Array) return Buffer.from(pem)
  return pem.map((one) => typeof one === "string" ? one : Buffer.from(one))
}

/** What node:tls wants of either side's options. */
export const secureContextOptions = (options: ListenTlsOptions | DialTlsOptions): SecureContextOptions => {
  const { passphrase } = options
  const [ca, cert, key] = [pemText(options.ca), pemText(options.cert), pemText(options.key)]
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
    minVersion: "TLSv1.2"
  }
}

/** Runs what reads certificates; a failure there becomes EINVAL. */
export const readingTls = <A>(text: string, read: () => A): A => {
  try {
    return read()
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const hint = "cert, key and ca must be PEM and belong together"
    throw new NngError("EINVAL", `tls options of ${text}: ${detail} (${hint})`, { cause: error })
  }
}

/** Reads the certificates of a dialer; throws EINVAL when they are no good. */
export const dialContext = (text: string, options: DialTlsOptions): SecureContext =>
  readingTls(text, () => Tls.createSecureContext(secureContextOptions(options)))
