/** Real processes with a secret: who gets in, who does not, and what each is told. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeSecret, roleKeyText } from "../../src/layers/Secret.ts"
import { Cluster, eventually, fixture } from "../harness/Cluster.ts"

const secret = makeSecret()
const as = (secret: string) => ({ FASTWORKER_SECRET: secret })

let cluster: Cluster
let folder: string
let address: string
let workerAddress: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fastworker-secret-"))
  cluster = await Cluster.make()
  const { ready } = await cluster.controlPlane([], as(secret))
  address = (ready as { address: string }).address
  workerAddress = (ready as { workerAddress: string }).workerAddress
  await cluster.worker(["--tasks", fixture("basic.ts")], as(roleKeyText(secret, "worker")))
})

afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const submit = (secret: string | undefined, ...args: ReadonlyArray<string>) =>
  cluster.run(["submit", "add", "{\"x\":1,\"y\":2}", ...args], secret === undefined ? {} : as(secret))

describe("tasks", () => {
  it("are submitted with the secret, the key of a client or that of a worker, and run", async () => {
    for (const key of [secret, roleKeyText(secret, "client"), roleKeyText(secret, "worker")]) {
      const { code, stderr, stdout } = await submit(key)
      assert.deepStrictEqual([code, stdout.trim(), stderr], [0, "3", ""])
    }
  })

  it("are submitted with the secret of a file", async () => {
    const file = join(folder, "secret")
    writeFileSync(file, `${secret}\n`)

    const { code, stdout } = await cluster.run(["submit", "add", "{\"x\":1,\"y\":2}", "--secret-file", file])

    assert.deepStrictEqual([code, stdout.trim()], [0, "3"])
  })

  it("are seen by an observer, who can't change anything", async () => {
    const observer = as(roleKeyText(secret, "observer"))
    const seen = await cluster.run(["stats", "--json"], observer)
    assert.strictEqual(seen.code, 0, seen.stderr)

    for (
      const args of [
        ["submit", "add", "{\"x\":1,\"y\":2}"],
        ["cancel", "x"],
        ["pause"],
        ["retry", "x"],
        ["purge", "--all", "--yes"]
      ]
    ) {
      const { code, stderr } = await cluster.run(args, observer)
      assert.strictEqual(code, 3, args.join(" "))
      assert.include(stderr, "an observer may not")
    }
  })
})

describe("the system view", () => {
  it("says that there is a secret, and not which", async () => {
    const { code, stdout } = await cluster.run(["system", "--json"], as(secret))

    assert.strictEqual(code, 0, stdout)
    assert.notInclude(stdout, secret)
    const { settings } = JSON.parse(stdout) as { settings: Array<{ name: string; value: string }> }
    assert.deepInclude(settings, { name: "secret", value: "set" })
    assert.deepInclude(settings, { name: "tls", value: "none" })
  })
})

describe("a client", () => {
  it("without the secret is told what to do, with discovery and without", async () => {
    for (const args of [[], ["--control-plane", address]]) {
      const { code, stderr } = await submit(undefined, ...args)
      assert.strictEqual(code, 3)
      assert.include(stderr, "give this process the same, in FASTWORKER_SECRET")
    }
  })

  it("with another secret does not find the control plane, and is told so when it has its address", async () => {
    const other = makeSecret()
    const lost = await submit(other, "--timeout", "2s")
    const direct = await submit(other, "--control-plane", address, "--json")

    assert.strictEqual(lost.code, 3)
    assert.include(lost.stderr, "not signed with our secret")
    assert.strictEqual(direct.code, 3)
    assert.strictEqual((JSON.parse(direct.stdout) as { error: { _tag: string } }).error._tag, "Unauthorized")
    assert.include(direct.stdout, "does not have the secret that this process has")
  })

  it("with a secret that is too short is told so at once", async () => {
    const { code, stderr } = await submit("short")
    assert.strictEqual(code, 2)
    assert.include(stderr, "at least 16 characters")
  })

  it("with a secret turns away from a control plane without one", async () => {
    await using other = await Cluster.make()
    const { ready } = await other.controlPlane()
    const { code, stderr } = await submit(secret, "--control-plane", (ready as { address: string }).address)
    assert.strictEqual(code, 3)
    assert.include(stderr, "asks for no secret")
  })
})

describe("a worker", () => {
  const start = async (key: string) => {
    const running = cluster.start(
      ["worker", "--control-plane", workerAddress, "--tasks", fixture("basic.ts")],
      as(key)
    )
    return { code: await running.exit(), stderr: running.stderr() }
  }

  it("with the key of a client or an observer ends, and says why", async () => {
    for (const role of ["client", "observer"] as const) {
      const { code, stderr } = await start(roleKeyText(secret, role))
      assert.strictEqual(code, 3)
      assert.include(stderr, `this key is that of a ${role}`)
    }
  })

  it("with another secret ends, and says why", async () => {
    const { code, stderr } = await start(makeSecret())
    assert.strictEqual(code, 3)
    assert.include(stderr, "does not have the secret")
  })
})

describe("a control plane", () => {
  it("can't be run with the key of a role", async () => {
    const { code, stderr } = await cluster.run(["control-plane", "--no-dashboard"], as(roleKeyText(secret, "worker")))
    assert.strictEqual(code, 2)
    assert.include(stderr, "needs the secret itself")
  })

  it("does not listen for other machines without a secret, unless told to", async () => {
    const args = ["control-plane", "--no-dashboard", "--worker-address", "tcp://127.0.0.1:0"]
    const open = ["--address", "tcp://0.0.0.0:0"]
    const refused = await cluster.run([...args, ...open])
    assert.strictEqual(refused.code, 2)
    assert.include(refused.stderr, "FASTWORKER_SECRET")
    assert.include(refused.stderr, "--insecure")

    await using other = await Cluster.make()
    await other.controlPlane([...open, "--insecure"])
    await using third = await Cluster.make()
    await third.controlPlane(open, as(secret))
  })

  it("that is killed and started again is proved to again, by client and worker", async () => {
    await using own = await Cluster.make()
    const addresses = ["--address", "tcp://127.0.0.1:0", "--worker-address", "tcp://127.0.0.1:0"]
    const first = await own.controlPlane(addresses, as(secret))
    const worker = await own.worker(["--tasks", fixture("basic.ts")], as(secret))
    first.signal("SIGKILL")
    await first.exit()
    await own.controlPlane(addresses, as(secret))

    const { code, stdout } = await own.run(["submit", "add", "{\"x\":1,\"y\":2}"], as(secret))

    assert.deepStrictEqual([code, stdout.trim()], [0, "3"])
    assert.isUndefined(worker.ended())
  })

  it("hears of a worker whose event loop is blocked, by the heartbeat of its thread", async () => {
    await using own = await Cluster.make()
    await own.controlPlane(["--heartbeat", "1s", "--heartbeat-timeout", "4s"], as(secret))
    await own.worker(["--tasks", fixture("blocking.ts")], as(secret))
    await own.run(
      ["submit", "block", JSON.stringify({ millis: 15_000, log: join(folder, "log") }), "--no-wait"],
      as(secret)
    )

    await eventually("it is called unresponsive", async () => {
      const { stdout } = await own.run(["workers", "--json"], as(secret))
      return stdout.includes("\"unresponsive\"")
    })
  })
})

describe("secret", () => {
  it("makes secrets, each another, and the key of a role of the one that is set", async () => {
    const made = await Promise.all([cluster.run(["secret"]), cluster.run(["secret", "--json"])])
    const [first, second] = [
      made[0].stdout.trim(),
      (JSON.parse(made[1].stdout) as { readonly secret: string }).secret
    ]
    const key = await cluster.run(["secret", "--role", "observer"], as(first))

    assert.match(first, /^[A-Za-z0-9_-]{43}$/u)
    assert.notStrictEqual(first, second)
    assert.strictEqual(key.stdout.trim(), roleKeyText(first, "observer"))
  })

  it("says what it needs for the key of a role", async () => {
    const none = await cluster.run(["secret", "--role", "client"])
    const role = await cluster.run(["secret", "--role", "client"], as(roleKeyText(secret, "worker")))

    assert.deepStrictEqual([none.code, role.code], [2, 2])
    assert.include(none.stderr, "set FASTWORKER_SECRET")
    assert.include(role.stderr, "the key of a role already")
  })
})
