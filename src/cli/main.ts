/**
 * The `fastworker` command: how it runs, and how it ends, also when nobody reads its output any more (`fastworker logs
 * --follow | head -3`). Started by `bin.ts`.
 *
 * @since 0.1.0
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Command } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { packageVersion } from "../layers/ControlPlaneViews.ts"
import { root } from "./Commands.ts"
import * as Output from "./Output.ts"

/** Roles go on when nobody reads what they print; a command has nobody left to work for. */
const isRole = process.argv.slice(2).some((argument) => argument === "control-plane" || argument === "worker")

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: Error & { readonly code?: unknown }) => {
    if (error.code !== "EPIPE") throw error
    if (!isRole) process.exit(0)
  })
}

root.pipe(
  Command.run({ version: packageVersion }),
  Effect.provide(Layer.mergeAll(NodeServices.layer, Output.layerPresenter)),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      const code = Output.exitCode(exit)
      Output.reportUnexpected(exit)
      onExit(code)
    }
  })
)
