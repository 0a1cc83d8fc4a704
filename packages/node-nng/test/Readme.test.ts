/** The README's examples do what their comments say. */
import { spawn } from "node:child_process"
import { readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterEach, describe, expect, it } from "vitest"
import { ca, client, server } from "./fixtures/certificates.ts"
import { makeScope } from "./scope.ts"
import { until } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")
const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code)

describe("README.md", () => {
  it("has examples", () => {
    expect(blocks.length).toBeGreaterThan(3)
  })

  it.each(blocks.map((code, i) => [i + 1, code] as const))("example %i prints what it says", async (_, code) => {
    const directory = scope.directory()
    symlinkSync(fileURLToPath(new URL("../../../node_modules", import.meta.url)), `${directory}/node_modules`)
    const files = { ca, server: server.cert, client: client.cert }
    for (const [name, pem] of Object.entries(files)) writeFileSync(`${directory}/${name}.crt`, pem)
    for (const [name, { key }] of Object.entries({ server, client })) writeFileSync(`${directory}/${name}.key`, key)

    const child = scope.addProcess(
      spawn(process.execPath, ["--input-type=module", "-e", code], {
        cwd: directory,
        stdio: ["ignore", "pipe", "inherit"]
      })
    )
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
    await until("its end", () => child.exitCode !== null)
    await until("its output", () => child.stdout.readableEnded)

    const promised = [...code.matchAll(/console\.log\(.*\/\/ (.*)/g)].map(([, text]) => text)
    expect(output.trim().split("\n")).toEqual(promised)
    expect(child.exitCode).toBe(0)
  })
})
