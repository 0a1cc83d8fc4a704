/** Real processes over TLS: what is checked on each side, and what each is told. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Certificates } from "../harness/Certificates.ts"
import { hasOpenssl, makeCertificates } from "../harness/Certificates.ts"
import { Cluster, eventually, fixture } from "../harness/Cluster.ts"

const anyPort = "tls+tcp://127.0.0.1:0"

describe.skipIf(!hasOpenssl)("over TLS", () => {
  let certificates: Certificates
  beforeAll(() => {
    certificates = makeCertificates()
  })
  afterAll(() => certificates[Symbol.dispose]())

  const serving = () => ({
    FASTWORKER_TLS_CERT: certificates.server.cert,
    FASTWORKER_TLS_KEY: certificates.server.key,
    FASTWORKER_TLS_CA: certificates.ca
  })
  const trusting = () => ({ FASTWORKER_TLS_CA: certificates.ca })
  const showing = () => ({
    ...trusting(),
    FASTWORKER_TLS_CERT: certificates.client.cert,
    FASTWORKER_TLS_KEY: certificates.client.key
  })

  /** A cluster whose discovery goes over TLS as well. */
  const start = async (args: ReadonlyArray<string> = []) => {
    const cluster = await Cluster.make()
    const discovery = { FASTWORKER_DISCOVERY: `tls+${cluster.discovery}` }
    const { ready } = await cluster.controlPlane(["--address", anyPort, "--worker-address", anyPort, ...args], {
      ...serving(),
      ...discovery
    })
    const submit = (env: Readonly<Record<string, string>>, ...args: ReadonlyArray<string>) =>
      cluster.run(["submit", "add", "{\"x\":1,\"y\":2}", "--timeout", "3s", ...args], { ...discovery, ...env })
    return { cluster, discovery, ready: ready as { readonly address: string; readonly workerAddress: string }, submit }
  }

  it("client, worker and announcements work, with the authority's certificate", async () => {
    const { cluster, discovery, submit } = await start()
    await using _ = cluster
    await cluster.worker(["--tasks", fixture("basic.ts")], { ...discovery, ...trusting() })

    const { code, stderr, stdout } = await submit(trusting())

    assert.deepStrictEqual([code, stdout.trim(), stderr], [0, "3", ""])
  })

  it("a client that does not know the authority does not connect, and says why", async () => {
    const { cluster, ready, submit } = await start()
    await using _ = cluster

    const { code, stderr } = await submit({}, "--control-plane", ready.address)

    assert.strictEqual(code, 3)
    assert.match(stderr, /certificate/iu)
  })

  it("who speaks no TLS gets nowhere", async () => {
    const { cluster, ready, submit } = await start()
    await using _ = cluster

    const { code } = await submit({}, "--control-plane", ready.address.replace("tls+", ""))

    assert.strictEqual(code, 3)
  })

  it("with --tls-client-certificates only who shows one gets in, on other addresses than the loopback without a secret", async () => {
    const { cluster, discovery, submit } = await start(["--tls-client-certificates"])
    await using _ = cluster
    await cluster.worker(["--tasks", fixture("basic.ts")], { ...discovery, ...showing() })

    const without = await submit(trusting())
    const shown = await submit(showing())

    assert.strictEqual(without.code, 3)
    assert.deepStrictEqual([shown.code, shown.stdout.trim()], [0, "3"])

    await using open = await Cluster.make()
    await open.controlPlane(
      ["--address", "tls+tcp://0.0.0.0:0", "--worker-address", anyPort, "--tls-client-certificates"],
      serving()
    )
  })

  it("encryption alone is no permission: without certificates of clients a secret is needed elsewhere", async () => {
    await using cluster = await Cluster.make()
    const { code, stderr } = await cluster.run(
      ["control-plane", "--no-dashboard", "--address", "tls+tcp://0.0.0.0:0"],
      serving()
    )
    assert.strictEqual(code, 2)
    assert.include(stderr, "--tls-client-certificates")
  })

  it("a worker whose event loop is blocked is heard of by the heartbeat of its thread", async () => {
    const { cluster, discovery, submit } = await start(["--heartbeat", "1s", "--heartbeat-timeout", "4s"])
    await using _ = cluster
    await cluster.worker(["--tasks", fixture("blocking.ts")], { ...discovery, ...trusting() })
    await cluster.run(["submit", "block", "{\"millis\":15000,\"log\":\"/dev/null\"}", "--no-wait"], {
      ...discovery,
      ...trusting()
    })
    await eventually("it is called unresponsive", async () => {
      const { stdout } = await cluster.run(["workers", "--json"], { ...discovery, ...trusting() })
      return stdout.includes("\"unresponsive\"")
    })
    void submit
  })

  it("says what is missing: a certificate to listen, an authority to check others", async () => {
    await using cluster = await Cluster.make()
    const none = await cluster.run(["control-plane", "--no-dashboard", "--address", anyPort])
    const { FASTWORKER_TLS_CA: _, ...withoutCa } = serving()
    const noCa = await cluster.run(
      ["control-plane", "--no-dashboard", "--address", anyPort, "--tls-client-certificates"],
      withoutCa
    )

    assert.deepStrictEqual([none.code, noCa.code], [2, 2])
    assert.include(none.stderr, "--tls-cert and --tls-key")
    assert.include(noCa.stderr, "--tls-ca")
  })

  it("a file that is none is named", async () => {
    await using cluster = await Cluster.make()
    const missing = await cluster.run(["stats", "--tls-ca", "/nowhere.pem"])
    const wrong = await cluster.run([
      "stats",
      "--control-plane",
      "tls+tcp://127.0.0.1:1",
      "--tls-ca",
      fixture("basic.ts")
    ])

    assert.strictEqual(missing.code, 2)
    assert.include(missing.stderr, "/nowhere.pem")
    assert.notStrictEqual(wrong.code, 0)
    assert.match(wrong.stderr, /PEM/u)
  })
})
