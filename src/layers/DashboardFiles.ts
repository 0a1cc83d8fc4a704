/**
 * The files of the built dashboard and of the documentation: read once, served from memory, compressed as the build left
 * them. Names are looked up, so a path from outside never reaches the file system. Whatever is no file of the dashboard is
 * its page: it knows its own paths.
 *
 * @since 0.1.0
 */
import { HttpServerResponse } from "effect/http"
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib"
import { problem } from "./DashboardAnswers.ts"

type Encoding = "br" | "gzip"

/** A file in one encoding. */
interface Variant {
  readonly bytes: Uint8Array
  readonly etag: string
}

interface File {
  readonly contentType: string
  readonly cacheControl: string
  readonly plain: Variant
  readonly encoded: ReadonlyMap<Encoding, Variant>
}

/**
 * What a request says that matters for files.
 *
 * @category models
 * @since 0.1.0
 */
export interface FileRequest {
  /** As it came, without query and prefix. */
  readonly path: string
  readonly acceptEncoding: string | undefined
  readonly ifNoneMatch: string | undefined
}

/** The build stands in `dist`, also for a process that runs the sources. */
const builtIn = (name: string) =>
  fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? `../../dist/${name}/` : `../${name}/`, import.meta.url))

const types: ReadonlyMap<string, string> = new Map([
  ["html", "text/html; charset=utf-8"],
  ["js", "text/javascript; charset=utf-8"],
  ["css", "text/css; charset=utf-8"],
  ["json", "application/json"],
  ["map", "application/json"],
  ["svg", "image/svg+xml"],
  ["png", "image/png"],
  ["ico", "image/x-icon"],
  ["woff2", "font/woff2"],
  ["txt", "text/plain; charset=utf-8"],
  ["md", "text/plain; charset=utf-8"],
  ["webmanifest", "application/manifest+json"]
])

const extensionOf = (name: string) => name.slice(name.lastIndexOf(".") + 1)

const variant = (bytes: Uint8Array): Variant => ({
  bytes,
  etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`
})

const encodingOf: ReadonlyMap<string, Encoding> = new Map([["br", "br"], ["gz", "gzip"]])

/** Reads a folder with all that is below it, by path from it. */
const readFolder = (folder: string): ReadonlyMap<string, Uint8Array> => {
  const files = new Map<string, Uint8Array>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) files.set(relative(folder, path).replaceAll(sep, "/"), readFileSync(path))
  }
  return files
}

/** The page says where it stands: all its other addresses are relative to that. */
const withBase = (html: string, prefix: string): string => {
  const base = `<base href="${prefix.replaceAll("&", "&amp;").replaceAll("\"", "&quot;")}/">`
  return /<base [^>]*>/u.test(html)
    ? html.replace(/<base [^>]*>/u, () => base)
    : html.replace("<head>", `<head>${base}`)
}

const page = (html: string): File => {
  const bytes = Buffer.from(html)
  return {
    contentType: "text/html; charset=utf-8",
    cacheControl: "no-cache",
    plain: variant(bytes),
    encoded: new Map([["br", variant(brotliCompressSync(bytes))], ["gzip", variant(gzipSync(bytes))]])
  }
}

const load = (folder: string, prefix: string): ReadonlyMap<string, File> => {
  const all = readFolder(folder)
  const files = new Map<string, File>()
  for (const [name, bytes] of all) {
    if (encodingOf.has(extensionOf(name))) continue
    const encoded = new Map<Encoding, Variant>()
    for (const [extension, encoding] of encodingOf) {
      const compressed = all.get(`${name}.${extension}`)
      if (compressed !== undefined) encoded.set(encoding, variant(compressed))
    }
    files.set(`/${name}`, {
      contentType: types.get(extensionOf(name)) ?? "application/octet-stream",
      // Names in this folder have a hash of the contents in them.
      cacheControl: name.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      plain: variant(bytes),
      encoded
    })
  }
  const index = all.get("index.html")
  if (index !== undefined) files.set("/index.html", page(withBase(Buffer.from(index).toString(), prefix)))
  return files
}

/** Whether an encoding is accepted: it is named, or `*` is, and not with weight 0. */
const accepts = (header: string, encoding: Encoding): boolean => {
  let others = false
  for (const part of header.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim())
    const weight = parameters.find((parameter) => parameter.startsWith("q="))
    const isAccepted = weight === undefined || Number(weight.slice(2)) > 0
    if (name === encoding) return isAccepted
    if (name === "*") others = isAccepted
  }
  return others
}

const answer = (file: File, { acceptEncoding = "", ifNoneMatch }: FileRequest) => {
  const encoding = (["br", "gzip"] as const).find((encoding) =>
    file.encoded.has(encoding) && accepts(acceptEncoding, encoding)
  )
  const { bytes, etag } = (encoding === undefined ? undefined : file.encoded.get(encoding)) ?? file.plain
  const headers = {
    "cache-control": file.cacheControl,
    etag,
    ...(file.encoded.size === 0 ? {} : { vary: "accept-encoding" })
  }
  const known = ifNoneMatch?.split(",").map((text) => text.trim().replace(/^W\//u, "")) ?? []
  if (known.includes(etag) || known.includes("*")) return HttpServerResponse.empty({ status: 304, headers })
  return HttpServerResponse.uint8Array(bytes, {
    contentType: file.contentType,
    headers: encoding === undefined ? headers : { ...headers, "content-encoding": encoding }
  })
}

/** The path of a file, or what can't be one. */
const decode = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/**
 * Reads the built dashboard. `prefix` is the path that it stands under, without a slash at the end. `isBuilt` says whether
 * there is one; without, every answer says how to build it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeFiles = (prefix: string, folder: string = builtIn("dashboard")) => {
  let files: ReadonlyMap<string, File>
  try {
    files = load(folder, prefix)
  } catch {
    files = new Map()
  }
  const index = files.get("/index.html")
  return {
    isBuilt: index !== undefined,
    answer(request: FileRequest): HttpServerResponse.HttpServerResponse {
      if (index === undefined) {
        return problem(503, "NotBuilt", "The dashboard is not built: run npm run build. The API works without it")
      }
      const path = decode(request.path)
      const file = files.get(path)
      if (file !== undefined) return answer(file, request)
      // An asset of another build: the page in its place would be taken for a script.
      if (path.startsWith("/assets/")) return problem(404, "NotFound", `Nothing is served at ${request.path}`)
      return answer(index, request)
    }
  }
}

/** The documentation, of which the package has the compressed files alone. */
const loadSite = (folder: string): ReadonlyMap<string, File> => {
  const all = readFolder(folder)
  const files = new Map<string, File>()
  for (const [compressed, bytes] of all) {
    if (!compressed.endsWith(".gz")) continue
    const name = compressed.slice(0, -".gz".length)
    const brotli = all.get(`${name}.br`)
    files.set(`/${name}`, {
      contentType: types.get(extensionOf(name)) ?? "application/octet-stream",
      cacheControl: "no-cache",
      plain: variant(gunzipSync(bytes)),
      encoded: new Map([
        ...brotli === undefined ? [] : [["br", variant(brotli)] as const],
        ["gzip", variant(bytes)] as const
      ])
    })
  }
  return files
}

/**
 * Serves the built documentation below `root`, a path such as `/docs`. It is read when it is first asked for: most control
 * planes never are.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSite = (root: string, folder: string = builtIn("docs")) => {
  let files: ReadonlyMap<string, File> | undefined
  const read = () => {
    try {
      return loadSite(folder)
    } catch {
      return new Map<string, File>()
    }
  }
  return {
    answer(request: FileRequest): HttpServerResponse.HttpServerResponse {
      // Relative, as are all addresses within the site: it may stand below a prefix that a proxy has taken away.
      if (request.path === root) return HttpServerResponse.redirect(`${root.slice(1)}/`)
      files ??= read()
      if (files.size === 0) return problem(503, "NotBuilt", "The documentation is not built: run npm run build")
      const path = decode(request.path).slice(root.length)
      const file = files.get(path === "/" ? "/index.html" : path)
      return file === undefined
        ? problem(404, "NotFound", `The documentation has no page ${request.path}: ${root}/ lists them`)
        : answer(file, request)
    }
  }
}
