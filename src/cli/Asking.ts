/**
 * What the commands have in common that ask a running control plane: the client, and how an answer is printed.
 *
 * @since 0.1.0
 */
import { Command } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layerClient, layerSettings } from "../layers/NodeClient.ts"
import { Client } from "../services/Client.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"
import { killedExitCode } from "./Stop.ts"

/** An error that a command can print. */
export interface Failure {
  readonly _tag: string
  readonly message: string
}

/** Who stops a command that waits for an answer must not take it for one. */
const notDone = Effect.sync(() => {
  process.exitCode = killedExitCode
})

/** Runs a command's body with a client, as the flags say. */
export const withClient = <A, E, R>(
  flags: Command.Command.Config.InferValue<typeof Flags.target>,
  body: Effect.Effect<A, E, R | Client>
) =>
  Effect.gen(function*() {
    const { json } = yield* Flags.root
    const layers = layerClient(Flags.asProperty("controlPlane", flags.controlPlane)).pipe(
      Layer.provide([layerSettings(Flags.clientSettings(flags)), Output.layerLogger(json)])
    )
    const context = yield* Layer.build(layers).pipe(Effect.catch((error) => Output.fail(json, error)))
    return yield* Effect.provideContext(body, context)
  }).pipe(Effect.scoped, Effect.onInterrupt(() => notDone))

/** Who follows stops when he has seen enough: that is its end, not a failure. */
export const endsWhenStopped = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.onInterrupt(self, () =>
    Effect.sync(() => {
      process.exitCode = 0
    }))

/** Creates a command that asks, and prints the answer: for machines, or for people. */
export const asking = <const Name extends string, const Parameters extends Command.Command.Config, A>(
  name: Name,
  description: string,
  parameters: Parameters,
  { ask, json = (answer) => answer, text }: {
    readonly ask: (
      client: Client["Service"],
      parameters: Command.Command.Config.InferValue<Parameters>
    ) => Effect.Effect<A, Failure>
    readonly text: (answer: A, parameters: Command.Command.Config.InferValue<Parameters>) => string
    /** Default: the answer as it is. */
    readonly json?: (answer: A, parameters: Command.Command.Config.InferValue<Parameters>) => unknown
  }
) =>
  Command.make(
    name,
    { parameters, target: Flags.target },
    Effect.fnUntraced(function*({ parameters, target }) {
      const { json: isForMachines } = yield* Flags.root
      yield* withClient(
        target,
        Effect.gen(function*() {
          const answer = yield* Effect.catch(
            ask(yield* Client, parameters),
            (error) => Output.fail(isForMachines, error)
          )
          yield* isForMachines ? Output.json(json(answer, parameters)) : Console.log(text(answer, parameters))
        })
      )
    })
  ).pipe(Command.withDescription(description))
