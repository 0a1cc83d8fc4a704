/**
 * What is installed with FastWorker: exactly these packages, with exactly these versions, none of which runs anything when it
 * is installed or may not be passed on. Who adds one sees it here, and says why in the change. Without a network; whether one
 * of them has a known hole is asked by `npm audit`, where there is one (CONTRIBUTING.md).
 */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../", import.meta.url))

interface Entry {
  readonly version: string
  readonly license?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly resolved?: string
  readonly hasInstallScript?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

const read = (file: string): unknown => JSON.parse(readFileSync(root + file, "utf8"))
const { packages } = read("package-lock.json") as { readonly packages: Readonly<Record<string, Entry>> }

/** Where a dependency of the package at `path` is, as Node looks for it. */
const resolve = (path: string, name: string): string | undefined => {
  for (let at = path;; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    const candidate = `${at === "" ? "" : `${at}/`}node_modules/${name}`
    if (packages[candidate] !== undefined) return candidate
    if (at === "") return undefined
    if (!at.includes("/node_modules/")) at = ""
  }
}

/** All that comes with the package. Peers too, which npm installs; those that are optional only where nothing else brings them. */
const production = (): ReadonlyMap<string, Entry> => {
  const found = new Map<string, Entry>()
  const visit = (path: string) => {
    const entry = packages[path]
    if (entry === undefined) return
    const { dependencies, optionalDependencies, peerDependencies = {}, peerDependenciesMeta = {} } = entry
    const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true)
    for (const name of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers]) {
      const at = resolve(path, name)
      assert.isDefined(at, `${name}, of ${path === "" ? "fastworker" : path}, is not in the lockfile`)
      if (at === undefined || found.has(at)) continue
      found.set(at, packages[at] as Entry)
      visit(packages[at]?.link === true ? packages[at].resolved ?? "" : at)
    }
  }
  visit("")
  return found
}

const nameOf = (path: string) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)

/** Licences that ask for no more than to be named. */
const permissive = new Set(["MIT", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "0BSD"])

const expected = [
  "@effect/platform-node-shared@4.1.0",
  "@effect/platform-node@4.1.0",
  "@redis/bloom@6.3.1",
  "@redis/client@6.3.1",
  "@redis/json@6.3.1",
  "@redis/search@6.3.1",
  "@redis/time-series@6.3.1",
  "@types/node@24.19.2",
  "@types/ws@8.18.2",
  "effect@4.1.0",
  "lru-cache@11.5.3",
  "node-nng@0.1.0",
  "redis@6.3.1",
  "undici-types@7.24.6",
  "undici@8.12.4",
  "ws@8.23.0"
]

describe("what is installed with FastWorker", () => {
  const tree = production()

  it("is exactly this, with exactly these versions", () => {
    const names = [...tree].map(([path, { link, resolved, version }]) =>
      `${nameOf(path)}@${link === true ? packages[resolved ?? ""]?.version : version}`
    )

    assert.deepStrictEqual(names.sort(), expected)
  })

  it("is named by one version each, not by a range", () => {
    for (const file of ["package.json", "packages/node-nng/package.json"]) {
      const { dependencies = {}, optionalDependencies = {} } = read(file) as Entry
      for (const [name, version] of Object.entries({ ...dependencies, ...optionalDependencies })) {
        assert.match(version, /^\d+\.\d+\.\d+$/u, `${name} of ${file}`)
      }
    }
  })

  it("is what its author published, and runs nothing when it is installed", () => {
    for (const [path, { hasInstallScript, integrity, link, resolved }] of tree) {
      if (link === true) continue
      assert.match(integrity ?? "", /^sha512-/u, path)
      // From the registry: an address of its own would stand here.
      assert.isUndefined(resolved, path)
      assert.notStrictEqual(hasInstallScript, true, path)
      if (!existsSync(`${root}${path}/package.json`)) continue
      const { scripts = {} } = read(`${path}/package.json`) as { readonly scripts?: Readonly<Record<string, string>> }
      assert.doesNotHaveAnyKeys(scripts, ["preinstall", "install", "postinstall"], path)
    }
  })

  it("may be passed on", () => {
    for (const [path, { license, link, resolved }] of tree) {
      const of = link === true ? (read(`${resolved ?? ""}/package.json`) as Entry).license : license
      assert.isTrue(permissive.has(of ?? ""), `${path}: ${of ?? "no licence"}`)
    }
  })
})
