/**
 * The recipes in `ops/`: they parse, hold what their formats require, and say what the code says: ports, commands, flags,
 * variables, task files and times to stop.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deployment } from "kubernetes-models/apps/v1/Deployment"
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy"
import { PersistentVolumeClaim } from "kubernetes-models/v1/PersistentVolumeClaim"
import { Service } from "kubernetes-models/v1/Service"
import { spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseAllDocuments } from "yaml"
import { defaults } from "../src/domain/Settings.ts"
import { Cluster } from "./harness/Cluster.ts"

const ops = new URL("../ops/", import.meta.url)
const read = (path: string) => readFileSync(new URL(path, ops), "utf8")

type Tree = Readonly<Record<string, unknown>>

const documents = (path: string): ReadonlyArray<Tree> =>
  parseAllDocuments(read(path), { merge: true, uniqueKeys: true, strict: true }).map((document) => {
    assert.deepStrictEqual([...document.errors, ...document.warnings], [], path)
    return document.toJS() as Tree
  })

/** What stands at a path of names and indices; fails, naming the path, when nothing does. */
const at = (tree: unknown, path: string): unknown => {
  let value = tree
  for (const name of path.split(".")) {
    assert.isTrue(typeof value === "object" && value !== null, path)
    value = (value as Tree)[name]
    assert.isDefined(value, path)
  }
  return value
}

const portOf = (address: string) => Number(address.slice(address.lastIndexOf(":") + 1))
const ports = {
  clients: portOf(defaults.address),
  workers: portOf(defaults.workerAddress),
  discovery: portOf(defaults.discovery),
  dashboard: portOf(defaults.dashboard)
}
const listening: ReadonlyArray<readonly [flag: string, port: number]> = [
  ["address", ports.clients],
  ["worker-address", ports.workers],
  ["discovery", ports.discovery],
  ["dashboard", ports.dashboard]
]

/** The flags of a command line of ours, without their values. */
const flagsOf = (args: ReadonlyArray<string>) => args.flatMap((arg) => /^--([a-z-]+)/u.exec(arg)?.[1] ?? [])

/** The listening flags say the ports that are the defaults. */
const checkPorts = (args: ReadonlyArray<string>) => {
  for (const [flag, port] of listening) {
    const arg = args.find((arg) => arg.startsWith(`--${flag}=`)) ?? assert.fail(`no --${flag}`)
    assert.strictEqual(portOf(arg), port, arg)
  }
}

const [compose] = documents("compose/compose.yaml") as [Tree]
const kubernetes = [...documents("kubernetes/control-plane.yaml"), ...documents("kubernetes/workers.yaml")]
const find = (kind: string, name: string) =>
  kubernetes.find((object) => object["kind"] === kind && at(object, "metadata.name") === name) ??
    assert.fail(`${kind} ${name}`)
const plane = find("Deployment", "fastworker-control-plane")
const workers = find("Deployment", "fastworker-worker")
const container = (deployment: Tree) => at(deployment, "spec.template.spec.containers.0") as Tree

const units = ["fastworker-control-plane.service", "fastworker-worker@.service"]
const execOf = (unit: string) => /^ExecStart=(.*)$/mu.exec(read(`systemd/${unit}`))?.[1] ?? assert.fail(unit)

/** Each command line of ours that stands in a recipe, from the command on. */
const commandLines = (): ReadonlyArray<ReadonlyArray<string>> => [
  ...["control-plane", "worker"].map((name) => at(compose, `services.${name}.command`) as ReadonlyArray<string>),
  ...[plane, workers].map((deployment) => at(container(deployment), "args") as ReadonlyArray<string>),
  ...[...units.map(execOf), String(at(container(workers), "lifecycle.preStop.exec.command.2"))].map((line) =>
    (line.split("dist/bin.js ")[1] ?? assert.fail(line)).split(" ")
  )
]

describe("ops", () => {
  it("calls commands that there are, with flags and variables that they have", async () => {
    await using cluster = await Cluster.make()
    const help = new Map<string, string>()
    for (const [command = "", ...args] of commandLines()) {
      const text = help.get(command) ?? (await cluster.run([command, "--help"])).stdout
      help.set(command, text)
      assert.include(text, `fastworker ${command}`)
      for (const flag of flagsOf(args)) assert.include(text, `--${flag} `, command)
    }
    const all = [...help.values()].join("\n")
    const files = ["compose/compose.yaml", "kubernetes/control-plane.yaml", "kubernetes/workers.yaml"]
    for (const path of [...files, ...units.map((unit) => `systemd/${unit}`)]) {
      for (const [variable] of read(path).matchAll(/FASTWORKER_[A-Z_]*[A-Z]/gu)) assert.include(all, variable, path)
    }
    assert.include(read("Dockerfile"), "ENTRYPOINT [\"node\", \"/app/node_modules/fastworker/dist/bin.js\"]")
  }, 60_000)

  it("runs a Node that the package is for", () => {
    const { engines } = JSON.parse(readFileSync(new URL("../package.json", ops), "utf8")) as {
      engines: { node: string }
    }
    const images = [...read("Dockerfile").matchAll(/^FROM node:(\d+)/gmu)].map(([, major]) => Number(major))

    assert.strictEqual(engines.node, ">=22.19")
    assert.deepStrictEqual(images, [24, 24])
  })
})

describe("compose.yaml", () => {
  it("has what its format requires, and refers to what is there", () => {
    for (const name of ["control-plane", "worker"]) {
      assert.isString(at(compose, `services.${name}.image`))
      for (const secret of at(compose, `services.${name}.secrets`) as ReadonlyArray<string>) {
        assert.isString(at(compose, `secrets.${secret}.file`))
        assert.strictEqual(at(compose, `services.${name}.environment.FASTWORKER_SECRET_FILE`), `/run/secrets/${secret}`)
      }
      assert.isAbove(Number.parseInt(String(at(compose, `services.${name}.stop_grace_period`)), 10), drainSeconds)
    }
    const [volume = ""] = at(compose, "services.control-plane.volumes") as ReadonlyArray<string>
    assert.property(at(compose, "volumes"), volume.split(":")[0] ?? "")
    assert.include(read("Dockerfile"), volume.split(":")[1] ?? volume)
  })

  it("listens where the defaults are, shows the dashboard to its machine alone, and workers find it", () => {
    checkPorts(at(compose, "services.control-plane.command") as ReadonlyArray<string>)
    assert.deepStrictEqual(at(compose, "services.control-plane.ports"), [
      `127.0.0.1:${ports.dashboard}:${ports.dashboard}`
    ])
    assert.strictEqual(
      at(compose, "services.worker.environment.FASTWORKER_DISCOVERY"),
      `tcp://control-plane:${ports.discovery}`
    )
    assert.include(String(at(compose, "services.control-plane.healthcheck.test.3")), `:${ports.dashboard}/healthz`)
  })
})

const drainSeconds = defaults.drainTimeoutMillis / 1_000

/** The schemas of Kubernetes, by kind. */
const models: Readonly<Record<string, new(object: never) => { validate(): void }>> = {
  Deployment,
  NetworkPolicy,
  PersistentVolumeClaim,
  Service
}

describe("the Kubernetes manifests", () => {
  it("are what the schemas of Kubernetes ask for", () => {
    const check = (object: Tree) => {
      const Model = models[String(object["kind"])] ?? assert.fail(String(object["kind"]))
      new Model(object as never).validate()
    }
    for (const object of kubernetes) check(object)
    assert.throws(() => check({ ...plane, spec: { ...(plane["spec"] as Tree), replicas: "one" } }), /integer/u)
    assert.throws(() => check({ ...plane, spec: { replicas: 1 } }), /required/u)
  })

  it("have what their kinds require", () => {
    const versions: Readonly<Record<string, string>> = {
      Deployment: "apps/v1",
      Service: "v1",
      PersistentVolumeClaim: "v1",
      NetworkPolicy: "networking.k8s.io/v1"
    }
    assert.lengthOf(kubernetes, 5)
    for (const object of kubernetes) {
      const kind = String(at(object, "kind"))
      assert.strictEqual(at(object, "apiVersion"), versions[kind] ?? kind)
      assert.match(String(at(object, "metadata.name")), /^[a-z][a-z0-9-]{0,62}$/u)
      assert.isObject(at(object, "spec"))
    }
    for (const deployment of [plane, workers]) {
      assert.deepStrictEqual(
        at(deployment, "spec.selector.matchLabels"),
        at(deployment, "spec.template.metadata.labels")
      )
      assert.isString(at(container(deployment), "image"))
      const volumes = (at(deployment, "spec.template.spec.volumes") as ReadonlyArray<Tree>).map(({ name }) => name)
      for (const { name } of at(container(deployment), "volumeMounts") as ReadonlyArray<Tree>) {
        assert.include(volumes, name)
      }
      for (const variable of at(container(deployment), "env") as ReadonlyArray<Tree>) {
        assert.isString(variable["name"])
        assert.isTrue(typeof variable["value"] === "string" || typeof variable["valueFrom"] === "object")
      }
    }
  })

  it("have one control plane that is never doubled, with probes, on the ports of the defaults", () => {
    assert.deepStrictEqual([at(plane, "spec.replicas"), at(plane, "spec.strategy.type")], [1, "Recreate"])
    checkPorts(at(container(plane), "args") as ReadonlyArray<string>)
    const named = (at(container(plane), "ports") as ReadonlyArray<Tree>).map((
      port
    ) => [port["name"], port["containerPort"]])
    assert.deepStrictEqual(Object.fromEntries(named), ports)
    for (
      const [probe, path] of [["livenessProbe", "/healthz"], ["startupProbe", "/healthz"], [
        "readinessProbe",
        "/readyz"
      ]]
    ) {
      assert.deepStrictEqual(at(container(plane), `${probe}.httpGet`), { path, port: "dashboard" })
    }
  })

  it("lead workers to the control plane by its Service, and nobody to the dashboard", () => {
    const service = find("Service", "fastworker")
    const { dashboard: _, ...served } = ports

    assert.deepStrictEqual(at(service, "spec.selector"), at(plane, "spec.template.metadata.labels"))
    const open = (at(service, "spec.ports") as ReadonlyArray<Tree>).map(({ name, port, targetPort }) => {
      assert.strictEqual(targetPort, name)
      return [name, port]
    })
    assert.deepStrictEqual(Object.fromEntries(open), served)
    const allowed = at(find("NetworkPolicy", "fastworker-control-plane"), "spec.ingress.0.ports") as ReadonlyArray<Tree>
    assert.sameMembers(allowed.map(({ port }) => port), Object.values(served))
    const env = at(container(workers), "env") as ReadonlyArray<Tree>
    assert.deepInclude(env, { name: "FASTWORKER_DISCOVERY", value: `tcp://fastworker:${ports.discovery}` })
  })

  it("give time to drain, and keep the secret out of themselves", () => {
    const drain = (at(container(workers), "args") as ReadonlyArray<string>)
      .flatMap((arg) => /^--drain-timeout=(\d+)s$/u.exec(arg)?.[1] ?? [])
    assert.lengthOf(drain, 1)
    assert.isAbove(Number(at(workers, "spec.template.spec.terminationGracePeriodSeconds")), Number(drain[0]))
    assert.isAbove(Number(at(plane, "spec.template.spec.terminationGracePeriodSeconds")), drainSeconds)
    for (const [deployment, key] of [[plane, "secret"], [workers, "worker"]] as const) {
      const env = at(container(deployment), "env") as ReadonlyArray<Tree>
      const secret = env.find(({ name }) => name === "FASTWORKER_SECRET")
      assert.deepStrictEqual(at(secret, "valueFrom.secretKeyRef"), { name: "fastworker", key })
    }
  })
})

describe("the systemd units", () => {
  it("have their sections, end by draining, and get the secret as a credential", () => {
    for (const unit of units) {
      const text = read(`systemd/${unit}`)
      const sections = [...text.matchAll(/^\[(\w+)\]$/gmu)].map(([, name]) => name)

      assert.deepStrictEqual(sections, ["Unit", "Service", "Install"], unit)
      assert.isAbove(Number(/^TimeoutStopSec=(\d+)$/mu.exec(text)?.[1]), drainSeconds)
      assert.include(text, "\nKillMode=mixed\n")
      assert.include(
        text,
        "\nLoadCredential=secret:/etc/fastworker/secret\nEnvironment=FASTWORKER_SECRET_FILE=%d/secret\n"
      )
    }
  })

  it.skipIf(spawnSync("systemd-analyze", ["--version"]).status !== 0)(
    "are found to be right by systemd-analyze",
    () => {
      const folder = mkdtempSync(join(tmpdir(), "fastworker-units-"))
      try {
        cpSync(new URL("systemd/", ops), folder, { recursive: true })
        const verify = () => {
          const { stderr } = spawnSync(
            "systemd-analyze",
            [
              "verify",
              "--man=no",
              ...["fastworker-control-plane.service", "fastworker-worker@1.service"].map((name) => join(folder, name))
            ],
            { encoding: "utf8", env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` } }
          )
          return stderr.split("\n").filter((line) => line.includes("fastworker-"))
        }
        // Its instance needs no file of its own.
        assert.deepStrictEqual(verify(), [])

        const unit = join(folder, "fastworker-control-plane.service")
        writeFileSync(unit, readFileSync(unit, "utf8").replace("KillMode=mixed", "KillMood=mixed"))
        assert.match(verify().join("\n"), /KillMood/u)
      } finally {
        rmSync(folder, { recursive: true })
      }
    }
  )
})
