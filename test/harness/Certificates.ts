/** Certificates made for one test, by the system's openssl. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface Certificates extends Disposable {
  /** Files: the authority's certificate, and a certificate of it with its key for each side. */
  readonly ca: string
  readonly server: { readonly cert: string; readonly key: string }
  readonly client: { readonly cert: string; readonly key: string }
}

/** Whether this machine can make certificates. */
export const hasOpenssl = (() => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
})()

export const makeCertificates = (): Certificates => {
  const folder = mkdtempSync(join(tmpdir(), "fastworker-tls-"))
  const path = (name: string) => join(folder, name)
  const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", args, { stdio: "ignore" })
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
  openssl(
    "req",
    "-x509",
    ...curve,
    "-days",
    "2",
    "-subj",
    "/CN=test authority",
    "-keyout",
    path("ca.key"),
    "-out",
    path("ca.pem")
  )
  writeFileSync(path("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n")
  const issue = (name: string) => {
    const [key, request, cert] = [path(`${name}.key`), path(`${name}.csr`), path(`${name}.pem`)]
    openssl("req", ...curve, "-subj", `/CN=${name}`, "-keyout", key, "-out", request)
    const signing = ["-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "2"]
    openssl("x509", "-req", "-in", request, ...signing, "-extfile", path("names"), "-out", cert)
    return { cert, key }
  }
  return {
    ca: path("ca.pem"),
    server: issue("server"),
    client: issue("client"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true })
  }
}
