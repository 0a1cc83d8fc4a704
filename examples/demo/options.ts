/** What the command line of the demo says. */
import { readdirSync, statSync } from "node:fs"
import { extname, join, resolve } from "node:path"
import { parseArgs } from "node:util"

const root = join(import.meta.dirname, "../..")
const pictures = new Set([".avif", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"])

export const usage = `npm start -- [--once] [--photos DIR] [--files DIR]

  --once        stop after the table instead of serving the dashboard until Ctrl-C
  --photos DIR  make thumbnails of the pictures in this folder (default: examples/demo/photos)
  --files DIR   digest every file of this folder and those below (default: docs and src)`

/** The command line can't be used; the message says why. */
export class UsageError extends Error {}

export interface Options {
  readonly once: boolean
  readonly help: boolean
  readonly photos: ReadonlyArray<string>
  readonly files: ReadonlyArray<string>
}

const filesBelow = (folder: string): ReadonlyArray<string> => {
  const absolute = resolve(folder)
  if (!statSync(absolute, { throwIfNoEntry: false })?.isDirectory()) throw new UsageError(`${folder} is not a folder`)
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/** Reads the command line and lists the folders; throws a `UsageError`. */
export const read = (argv: ReadonlyArray<string>): Options => {
  const { help, once, ...folders } = parse(argv)
  if (help) return { help, once, photos: [], files: [] }
  const photosFolder = folders.photos ?? join(import.meta.dirname, "photos")
  const photos = filesBelow(photosFolder).filter((path) => pictures.has(extname(path).toLowerCase()))
  if (photos.length === 0) throw new UsageError(`${photosFolder} has no pictures (${[...pictures].join(" ")})`)
  const files = folders.files === undefined
    ? ["docs", "src"].flatMap((name) => filesBelow(join(root, name)))
    : filesBelow(folders.files)
  if (files.length === 0) throw new UsageError(`${folders.files} has no files`)
  return { help, once, photos, files }
}

const parse = (argv: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        help: { type: "boolean", short: "h", default: false },
        once: { type: "boolean", default: false },
        photos: { type: "string" },
        files: { type: "string" }
      }
    }).values
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message.split(". ")[0] : String(cause))
  }
}
