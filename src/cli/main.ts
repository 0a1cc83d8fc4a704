/**
 * The `fastworker` command: how it runs, and how it ends. Started by `bin.ts`.
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
