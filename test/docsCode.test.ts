/**
 * The code of the documents: every block of TypeScript compiles and runs, the tutorial is followed as a user does, commands
 * in shells are ones that there are, and what is repeated from files is what stands there.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Command } from "effect/cli"
import * as CliOutput from "effect/cli/CliOutput"
import type { HelpDoc } from "effect/cli/HelpDoc"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { afterAll } from "vitest"
import { root as commands } from "../src/cli/Commands.ts"
import { bin, Cluster } from "./harness/Cluster.ts"
import type { Block } from "./harness/Documents.ts"
import { blocksOf, documents, root } from "./harness/Documents.ts"

const blocks = documents.flatMap(blocksOf)
const code = blocks.filter(({ language }) => language === "ts")
const tutorial = "docs/tutorial.md"

const folderOf = (document: string) => document.replace(/\.md$/u, "")
const fileOf = ({ document, line, title }: Block) => join(folderOf(document), title ?? `block-${line}.ts`)

/** What a program prints, as the comments behind or below its lines say. */
const expectedOf = ({ text }: Block): ReadonlyArray<string> => {
  const lines = text.split("\n")
  return lines.flatMap((line, index) => {
    if (!line.includes("console.log(")) return []
    const expected = /\) \/\/ (.*)$/u.exec(line)?.[1] ?? /^\/\/ (.*)$/u.exec(lines[index + 1] ?? "")?.[1]
    return expected === undefined ? [] : [expected]
  })
}

const folders: Array<string> = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** A new folder, which is removed at the end. */
const makeFolder = () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "fastworker-docs-")))
  folders.push(folder)
  return folder
}

/** Lets packages be found in a folder as if they were installed there. */
const install = (folder: string, names: ReadonlyArray<string>) => {
  for (const name of names) {
    const link = join(folder, "node_modules", name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(name === "fastworker" ? root : join(root, "node_modules", name), link)
  }
}

/** A program that looks for the control plane of this test, instead of at the usual place. */
const connectedTo = ({ discovery }: Cluster, text: string) =>
  text.replaceAll(/\bconnect\(\)/gu, `connect({ discovery: "${discovery}" })`)

describe("the blocks of TypeScript", () => {
  let project = ""
  beforeAll(() => {
    project = makeFolder()
    install(project, ["fastworker", "effect", "express", "fastify", "hono", "bullmq", "@types"])
    writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }))
  })

  it("compile, all of them", () => {
    for (const block of code) {
      const file = join(project, fileOf(block))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, block.text)
    }
    const compilerOptions = {
      noEmit: true,
      composite: false,
      rewriteRelativeImportExtensions: false,
      declaration: false
    }
    writeFileSync(
      join(project, "tsconfig.json"),
      JSON.stringify({
        extends: join(root, "tsconfig.base.json"),
        compilerOptions: { ...compilerOptions, declarationMap: false, sourceMap: false, skipLibCheck: true },
        include: ["README", "docs"]
      })
    )
    const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", project], { encoding: "utf8" })
    assert.strictEqual(stdout, "")
    assert.isAbove(code.length, 45)
  }, 60_000)

  it("run, those that can, and print what their comments say", async () => {
    await using cluster = await Cluster.make()
    const pages = documents.filter((document) => document !== tutorial).flatMap((document) => {
      const mine = code.filter((block) => block.document === document && !block.title?.endsWith(".test.ts"))
      const run = mine.filter(({ noRun }) => noRun === undefined)
      for (const block of mine) {
        writeFileSync(join(project, fileOf(block)), connectedTo(cluster, block.text))
      }
      const isTasks = ({ title }: Block) => title === "tasks.ts"
      const path = (block: Block) => join(project, fileOf(block))
      return run.length === 0 ? [] : [{ tasks: run.filter(isTasks).map(path), programs: run.map(path) }]
    })
    const plan = join(project, "plan.json")
    writeFileSync(plan, JSON.stringify({ discovery: cluster.discovery, pages }))

    const runner = cluster.script(join(root, "test/fixtures/docs/run.ts"), [plan])
    const status = await runner.exit()

    assert.strictEqual(status, 0, runner.stderr())
    const results = JSON.parse(runner.stdout()) as ReadonlyArray<{
      readonly file: string
      readonly printed: ReadonlyArray<string>
      readonly error?: string
    }>
    const byFile = new Map(code.map((block) => [join(project, fileOf(block)), block]))
    const ended = results.map(({ error, file, printed }) => ({ file: file.slice(project.length), error, printed }))
    const expected = results.map(({ file }) => ({
      file: file.slice(project.length),
      error: undefined,
      printed: expectedOf(byFile.get(file) as Block)
    }))
    assert.deepStrictEqual(ended, expected)
    assert.isAbove(results.filter(({ printed }) => printed.length > 0).length, 18)
  }, 60_000)
})

/** Runs a block of a shell as it stands, with `npx fastworker` and `fastworker` being what was built. */
const shell = (folder: string, cluster: Cluster) => {
  const tools = join(folder, ".tools")
  mkdirSync(tools)
  const tool = (name: string, text: string) => {
    writeFileSync(join(tools, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(tools, name), 0o755)
  }
  tool("fastworker", `exec "${process.execPath}" "${bin}" "$@"`)
  tool("npx", "exec \"$@\"")
  const path = [tools, dirname(process.execPath), process.env["PATH"]].join(delimiter)
  return async (text: string, cwd: string) => {
    const running = cluster.program("bash", ["-e", "-c", `cd "$1"\n${text}`, "bash", cwd], { PATH: path })
    return { code: await running.exit(), stdout: running.stdout(), stderr: running.stderr() }
  }
}

/** `Terminal 1` and so on: what goes on running there. */
const isTerminal = ({ title }: Block) => title?.startsWith("Terminal") === true

describe("the tutorial", () => {
  it("works when it is followed to the letter", async () => {
    await using cluster = await Cluster.make()
    const folder = makeFolder()
    const run = shell(folder, cluster)
    let cwd = folder
    let ran = 0
    for (const [index, block] of blocksOf(tutorial).entries()) {
      if (block.language === "ts") writeFileSync(join(cwd, block.title ?? ""), connectedTo(cluster, block.text))
      if (block.language !== "sh") continue
      assert.isUndefined(block.noRun)
      ran++
      if (isTerminal(block)) {
        const [, command, ...args] = block.text.trim().split(" ")
        assert.strictEqual(command, "fastworker")
        // Free ports, so that nothing else on this machine is in the way.
        const anyPort = "tcp://127.0.0.1:0"
        const ports = args[0] === "control-plane"
          ? { FASTWORKER_ADDRESS: anyPort, FASTWORKER_WORKER_ADDRESS: anyPort, FASTWORKER_DASHBOARD: "127.0.0.1:0" }
          : {}
        const files = args.map((arg) => arg.endsWith(".ts") ? join(cwd, arg) : arg)
        await cluster.start([...files, "--json"], ports).event("ready")
        continue
      }
      // What npm would bring from the registry is linked instead.
      const installs = /^npm install (.*)$/mu.exec(block.text)?.[1]?.split(" ") ?? []
      const output = await run(block.text.replace(/^npm install .*$/mu, ""), cwd)
      const moved = /\bcd (\S+)$/mu.exec(block.text)?.[1]
      if (moved !== undefined) cwd = join(cwd, moved)
      install(cwd, installs)

      const next = blocksOf(tutorial)[index + 1]
      assert.strictEqual(output.code, 0, `${block.text}${output.stderr}`)
      if (next?.language === "text" && next.words === "output") assert.strictEqual(output.stdout, next.text, block.text)
    }
    assert.isAbove(ran, 10)
    assert.strictEqual((JSON.parse(readFileSync(join(cwd, "package.json"), "utf8")) as { type: string }).type, "module")
  }, 120_000)
})

describe("the blocks of shells", () => {
  it("of the guides run, where nothing is needed that the page does not give", async () => {
    await using cluster = await Cluster.make()
    const guides = documents.filter((document) => document.startsWith("docs/howto/"))
    let ran = 0
    for (const document of guides) {
      const mine = blocksOf(document)
      const scripts = mine.filter(({ language, noRun }) => language === "sh" && noRun === undefined)
      if (scripts.length === 0) continue
      const folder = makeFolder()
      install(folder, ["fastworker", "effect"])
      const run = shell(folder, cluster)
      for (const { language, text, title } of mine) {
        if (language === "ts" && title !== undefined) writeFileSync(join(folder, title), text)
      }
      for (const { text } of scripts) {
        const { code, stderr, stdout } = await run(text, folder)
        assert.strictEqual(code, 0, `${document}: ${text}${stdout}${stderr}`)
        ran++
      }
    }
    assert.isAbove(ran, 1)
  }, 60_000)

  const helpOf = (path: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      let help: HelpDoc | undefined
      const presenter = CliOutput.layerPresenter({
        present: (event) => Effect.sync(() => void (help = "helpDoc" in event ? event.helpDoc : undefined))
      })
      yield* Command.runWith(commands, { version: "" })([...path, "--help"]).pipe(
        Effect.provide(Layer.mergeAll(NodeServices.layer, presenter)),
        Effect.exit
      )
      return help ?? assert.fail(`no help of ${path.join(" ")}`)
    })

  it.live("call commands and flags that there are", () =>
    Effect.gen(function*() {
      const names = (help: HelpDoc) =>
        (help.subcommands ?? []).flatMap(({ commands }) => commands.map(({ name }) => name))
      const every = names(yield* helpOf([]))
      const known = new Map<string, HelpDoc>()
      const lines = blocks.filter(({ language }) => language === "sh").flatMap(({ document, text }) =>
        text.replaceAll("\\\n", " ").split("\n").filter((line) => !line.startsWith("npm "))
          .flatMap((line) => [...line.replace(/#.*$/u, "").matchAll(/(?:^|[ (])fastworker ([a-z][^|&;)>]*)/gu)])
          .map(([, command = ""]) => ({ document, words: command.trim().split(/\s+/u) }))
      )
      for (const { document, words } of lines) {
        const [command = "", second = ""] = words
        if (command === "subworker") continue
        assert.include(every, command, `${document}: fastworker ${words.join(" ")}`)
        const parent = known.get(command) ?? (yield* helpOf([command]))
        known.set(command, parent)
        const isDeeper = names(parent).includes(second)
        const help = isDeeper ? known.get(`${command} ${second}`) ?? (yield* helpOf([command, second])) : parent
        if (isDeeper) known.set(`${command} ${second}`, help)
        const flags = [...help.flags, ...help.inheritedFlags ?? [], ...help.globalFlags ?? []].map(({ name }) => name)
        for (const word of words) {
          const flag = /^--(?:no-)?([a-z-]+)/u.exec(word)?.[1]
          if (flag === undefined || flags.includes(word.slice(2).replace(/=.*$/u, ""))) continue
          assert.include(flags, flag, `${document}: fastworker ${words.join(" ")}`)
        }
      }
      assert.isAbove(lines.length, 30)
    }))
})

describe("what is not run, or not ours", () => {
  it("is little, and says why", () => {
    const reasons = new Map<string, Array<string>>()
    for (const { document, language, noRun } of blocks) {
      if (noRun === undefined || language !== "ts") continue
      reasons.set(document, [...reasons.get(document) ?? [], noRun])
    }
    assert.deepStrictEqual(Object.fromEntries(reasons), {
      "docs/howto/protect.md": ["needs a control plane with this secret"],
      "docs/howto/web.md": ["serves until it is stopped", "serves until it is stopped"],
      "docs/migrate-bullmq.md": ["needs Redis", "serves until it is stopped"]
    })
    const languages = new Set(blocks.map(({ language }) => language))
    assert.sameMembers([...languages], ["ts", "sh", "text", "python", "dockerfile", "yaml", ""])
  })

  it("is the same as in the file that it is from", () => {
    const repeated = blocks.filter(({ file }) => file !== undefined)
    for (const { file, text } of repeated) assert.strictEqual(text, readFileSync(join(root, file ?? ""), "utf8"), file)
    assert.isNotEmpty(repeated)
  })
})
