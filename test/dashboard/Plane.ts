/** A control plane process with a dashboard, for the dashboard's tests. */
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import type { Stats } from "../../src/domain/Status.ts"
import { connect } from "../../src/layers/NodeClient.ts"
import { Cluster } from "../harness/Cluster.ts"

/** The path of a file beside this one. */
export const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

const scopedCluster = Effect.acquireRelease(
  Effect.promise(() => Cluster.make()),
  (cluster) => Effect.promise(() => cluster[Symbol.asyncDispose]())
)

/** A control plane with a dashboard, what it says over HTTP, and a client. */
export const startPlane = Effect.fnUntraced(function*(args: ReadonlyArray<string> = []) {
  const cluster = yield* scopedCluster
  const fixed = ["--discovery", "tcp://127.0.0.1:0", "--concurrency", "4"]
  const start = (dashboard: string) =>
    Effect.promise(() => cluster.controlPlane(["--dashboard", dashboard, ...fixed, ...args]))
  const plane = yield* start("127.0.0.1:0")
  const url = plane.ready.dashboard ?? ""
  const read = <A>(path: string) => Effect.promise(async () => (await fetch(url + path)).json() as Promise<A>)
  const client = yield* Effect.acquireRelease(
    connect({ controlPlane: plane.ready.address }),
    ({ close }) => close
  )
  return { cluster, plane, start, url, client, read, stats: read<Stats>("/api/stats") }
})
