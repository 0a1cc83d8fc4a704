/**
 * What is called wrongly, or can't work: one clear line, the right exit code, no stack trace.
 */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { Cluster, fixture, freePort } from "../harness/Cluster.ts"

/** A line that says what is wrong, perhaps what was meant, and where help is. */
const oneLine = /^fastworker: .+\n(\n +Did you mean this\?\n +\S+\n)?(Try: fastworker.* --help\n)?$/u

describe("usage", () => {
  const badFlags: ReadonlyArray<readonly [string, ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]>]> = [
    ["of processes", [
      [["control-plane", "--drain-timeout", "abc"], /--drain-timeout.*not a duration/u],
      [["control-plane", "--result-cache-bytes", "many"], /--result-cache-bytes.*not a size/u],
      [["control-plane", "--concurrency", "0"], /--concurrency.*at least 1/u],
      [["control-plane", "--max-waiting", "1.5"], /--max-waiting.*whole number/u],
      [["control-plane", "--local", "maybe"], /--local.*when-alone, always, never/u],
      [["control-plane", "--heartbeat", "10ms"], /--heartbeat must be at least 100ms/u],
      [["control-plane", "--heartbeat", "9s"], /--heartbeat-timeout must be at least twice --heartbeat/u],
      [["control-plane", "--address", "127.0.0.1:5555", "--no-dashboard"], /Address 127\.0\.0\.1:5555: .+/u],
      [["control-plane", "--address", "tcp://127.0.0.1:70000", "--no-dashboard"], /70000/u],
      [["control-plane", "--no-such-flag"], /--no-such-flag/u],
      [["worker", "--concurrency", "many"], /--concurrency/u],
      [["worker"], /at least one file of tasks/u],
      [["worker", "--tasks", fixture("basic.ts"), "--id", "a b"], /--id/u],
      [["sumbit"], /Unknown subcommand "sumbit"/u]
    ]],
    ["of questions", [
      [["submit", "add", "--in", "soon"], /--in.*not a duration/u],
      [["submit", "add", "--at", "soon"], /--at.*a time such as/u],
      [["list", "--older-than", "soon"], /--older-than.*not a duration/u],
      [["events", "--type", "odd"], /--type/u]
    ]]
  ]
  for (const [which, cases] of badFlags) {
    it(`refuses bad flags ${which} with the name of the flag and what is expected`, async () => {
      await using cluster = await Cluster.make()
      for (const [args, expected] of cases) {
        const { code, stderr, stdout } = await cluster.run(args)

        assert.deepStrictEqual([code, stdout], [2, ""], `${args.join(" ")}: ${stderr}`)
        assert.match(stderr, expected)
        assert.match(stderr, oneLine)
      }
    })
  }

  it("says which address is in use, for each of its ports", async () => {
    await using cluster = await Cluster.make()
    const { ready } = await cluster.controlPlane(["--dashboard", "127.0.0.1:0"])
    const free = ["--address", "tcp://127.0.0.1:0", "--worker-address", "tcp://127.0.0.1:0"]
    const discovery = ["--discovery", `tcp://127.0.0.1:${await freePort()}`]
    const dashboard = (ready.dashboard ?? "").replace("http://", "")
    const cases = [
      [...discovery, "--no-dashboard", "--worker-address", "tcp://127.0.0.1:0", "--address", ready.address],
      [...discovery, "--no-dashboard", "--address", "tcp://127.0.0.1:0", "--worker-address", ready.workerAddress],
      [...free, "--no-dashboard"],
      [...discovery, ...free, "--dashboard", dashboard]
    ]
    for (const args of cases) {
      const { code, stderr, stdout } = await cluster.run(["control-plane", ...args])

      assert.deepStrictEqual([code, stdout], [2, ""], stderr)
      assert.match(stderr, /^fastworker: Address \S+: is in use.*\n$/u)
    }
  })

  it("prints the same errors as one JSON value for machines", async () => {
    await using cluster = await Cluster.make()
    const { ready } = await cluster.controlPlane()

    const { code, stdout } = await cluster.run(
      ["control-plane", "--json", "--no-dashboard", "--address", ready.address]
    )

    assert.strictEqual(code, 2)
    assert.deepInclude((JSON.parse(stdout) as { error: object }).error, {
      _tag: "AddressError",
      address: ready.address
    })
  })

  const unanswered = [
    ["to questions", [
      ["stats"],
      ["stats", "--control-plane", "tcp://127.0.0.1:1"],
      ["status", "x"],
      ["result", "x"],
      ["list"],
      ["dead"],
      ["workers"],
      ["schedules"],
      ["tasks"]
    ]],
    ["to changes", [
      ["submit", "add", "{}"],
      ["cancel", "x", "y"],
      ["cancel", "--all", "--yes"],
      ["retry", "x"],
      ["purge", "--all"],
      ["pause"],
      ["schedule", "run", "x"],
      ["events"]
    ]]
  ] as const
  for (const [which, commands] of unanswered) {
    it(`exits with 3 when no control plane answers ${which}, with and without discovery`, async () => {
      await using cluster = await Cluster.make()
      for (const args of commands) {
        const { code, stderr, stdout } = await cluster.run([...args, "--timeout", "200ms"])

        assert.deepStrictEqual([code, stdout], [3, ""], args.join(" "))
        assert.match(
          stderr,
          /^fastworker: (No answer from a control plane \(tcp:\/\/\S+\) within|task x has no outcome)/u
        )
      }
    })
  }

  it("takes settings from flags, then from the environment, then from defaults", async () => {
    await using cluster = await Cluster.make()
    const env = {
      FASTWORKER_CONCURRENCY: "3",
      FASTWORKER_MAX_WAITING: "7",
      FASTWORKER_ADDRESS: "tcp://127.0.0.1:0",
      FASTWORKER_WORKER_ADDRESS: "tcp://127.0.0.1:0"
    }
    const plane = cluster.start(
      ["control-plane", "--json", "--no-dashboard", "--tasks", fixture("basic.ts"), "--concurrency", "5"],
      env
    )
    const { address } = await plane.event("ready")

    const { stdout } = await cluster.run(["workers", "--json"], { FASTWORKER_ADDRESS: address })

    assert.deepInclude((JSON.parse(stdout) as { workers: Array<object> }).workers[0], { slots: 5 })
    const bad = await cluster.run(["control-plane", "--no-dashboard"], { ...env, FASTWORKER_MAX_WAITING: "lots" })
    assert.strictEqual(bad.code, 2)
    assert.match(bad.stderr, /max-waiting/u)
  })

  it("names default and variable of every setting in the help", async () => {
    await using cluster = await Cluster.make()

    const { code, stdout } = await cluster.run(["control-plane", "--help"])

    assert.strictEqual(code, 0)
    for (
      const [flag, fallback, variable] of [
        ["--address", "tcp://127.0.0.1:5555", "FASTWORKER_ADDRESS"],
        ["--worker-address", "tcp://127.0.0.1:5560", "FASTWORKER_WORKER_ADDRESS"],
        ["--discovery", "tcp://127.0.0.1:5550", "FASTWORKER_DISCOVERY"],
        ["--dashboard", "127.0.0.1:8080", "FASTWORKER_DASHBOARD"],
        ["--concurrency", "16", "FASTWORKER_CONCURRENCY"],
        ["--local", "when-alone", "FASTWORKER_LOCAL"],
        ["--max-waiting", "1000000", "FASTWORKER_MAX_WAITING"],
        ["--result-cache-size", "10000", "FASTWORKER_RESULT_CACHE_SIZE"],
        ["--result-cache-bytes", "64MiB", "FASTWORKER_RESULT_CACHE_BYTES"],
        ["--result-cache-ttl", "1h", "FASTWORKER_RESULT_CACHE_TTL"],
        ["--history", "100000", "FASTWORKER_HISTORY"],
        ["--history-bytes", "64MiB", "FASTWORKER_HISTORY_BYTES"],
        ["--heartbeat", "5s", "FASTWORKER_HEARTBEAT"],
        ["--heartbeat-timeout", "15s", "FASTWORKER_HEARTBEAT_TIMEOUT"],
        ["--drain-timeout", "30s", "FASTWORKER_DRAIN_TIMEOUT"]
      ] as const
    ) {
      const text = stdout.replaceAll(/\s+/gu, " ")
      assert.include(text, flag)
      assert.include(text, `(default: ${fallback}; environment: ${variable})`)
    }
  })

  it("prints completions for each shell, its version, and help when called bare", async () => {
    await using cluster = await Cluster.make()

    for (const shell of ["bash", "zsh", "fish"]) {
      const { code, stdout } = await cluster.run(["--completions", shell])
      assert.strictEqual(code, 0)
      assert.include(stdout, "control-plane")
    }
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      readonly version: string
    }
    assert.include((await cluster.run(["--version"])).stdout, version)
    const bare = await cluster.run([])
    assert.strictEqual(bare.code, 0)
    assert.include(bare.stdout, "submit")
  })

  it("has every command in docs/cli.md", async () => {
    await using cluster = await Cluster.make()
    const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8")

    const { stdout } = await cluster.run(["--help"])

    const commands = [...(stdout.split("SUBCOMMANDS")[1] ?? "").matchAll(/^ {2}([a-z-]+)/gmu)].map(([, name]) => name)
    assert.isAbove(commands.length, 15)
    assert.deepStrictEqual(commands.filter((name) => !new RegExp(`\`(fastworker )?${name}[ \`]`, "u").test(page)), [])
  })

  it("accepts subworker for worker", async () => {
    await using cluster = await Cluster.make()
    await cluster.controlPlane()
    const worker = cluster.start(["subworker", "--json", "--id", "sub", "--tasks", fixture("second.ts")])

    assert.strictEqual((await worker.event("ready")).id, "sub")
    assert.strictEqual((await cluster.run(["submit", "ping"])).code, 0)
  })
})

describe("task files", () => {
  it("names the file and the reason when one can't be used", async () => {
    await using cluster = await Cluster.make()
    const cases: ReadonlyArray<readonly [string, RegExp]> = [
      ["bad/throws.ts", /throws when it is loaded: RangeError: not today/u],
      ["bad/nothing.ts", /exports no tasks/u],
      ["bad/contract.ts", /definitions without handlers \(later\)/u],
      ["bad/twice.ts", /defines the task "same" twice/u],
      ["bad/needs.ts", /needs the service "app\/Mailer", which nothing provides/u],
      ["bad/missing.ts", /imports the package "no-such-package", which is not installed/u],
      ["bad/enum.ts", /TypeScript that is not only types/u],
      ["bad/syntax.js", /does not parse/u],
      ["bad/absent.ts", /does not exist/u]
    ]
    for (const [file, reason] of cases) {
      const others = file === "bad/throws.ts"
        ? [["control-plane", "--no-dashboard", "--tasks"], ["worker", "--tasks"]]
        : []
      for (const command of [["tasks", "--tasks"], ...others]) {
        const { code, stderr, stdout } = await cluster.run([...command, fixture(file)], {
          FASTWORKER_ADDRESS: "tcp://127.0.0.1:0",
          FASTWORKER_WORKER_ADDRESS: "tcp://127.0.0.1:0"
        })

        assert.strictEqual(code, 2, `${command[0]} ${file}: ${stderr}`)
        assert.strictEqual(stdout, "")
        assert.include(stderr, file)
        assert.match(stderr, reason)
        assert.strictEqual(stderr.trimEnd().split("\n").length, 1, stderr)
      }
    }
  })

  it("refuses two files that define the same name, and names both", async () => {
    await using cluster = await Cluster.make()

    const { code, stderr } = await cluster.run(["tasks", fixture("second.ts"), fixture("clash.js")])

    assert.strictEqual(code, 2)
    assert.match(stderr, /clash\.js: it defines the task "ping", which .*second\.ts defines too/u)
  })
})
