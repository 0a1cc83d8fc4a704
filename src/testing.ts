/**
 * Test programs that submit tasks: a whole queue in memory, what was submitted written down, nothing runs before the test
 * says so.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type { Options } from "./layers/Testing.ts"
import { layer, TestQueue } from "./layers/Testing.ts"
import { clientOf } from "./promise.ts"
import { Client } from "./services/Client.ts"

export { layer as layerTest, NotDrained, TestQueue } from "./layers/Testing.ts"
export type { Enqueued, Options as TestOptions } from "./layers/Testing.ts"

/**
 * Creates a queue in memory for programs that do not use Effect: the client of `fastworker/promise`, and what
 * {@link TestQueue} offers. Close it at the end of the test.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeTestQueue = async (
  /** Values of `Task.define`. */
  tasks: ReadonlyArray<{ readonly layer: Layer.Layer<never> }>,
  options: Options = {}
) => {
  const runtime = ManagedRuntime.make(layer(tasks, options))
  const context = await runtime.runPromise(Effect.context<Client | TestQueue>())
  const { drain, ...queue } = Context.get(context, TestQueue)
  const close = () => runtime.dispose()
  return {
    ...queue,
    client: clientOf({ ...Context.get(context, Client), close: runtime.disposeEffect }),
    drain: () => runtime.runPromise(drain),
    close,
    [Symbol.asyncDispose]: close
  }
}
