/** Runs what lives in a scope beside inputs that come one after the other. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"

export interface Live<A> {
  readonly value: A
  readonly run: <B, E>(effect: Effect.Effect<B, E>) => Promise<Exit.Exit<B, E>>
  readonly close: () => Promise<void>
}

const silent = Logger.layer([])

/** Starts it; nothing of it is logged. */
export const open = async <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Promise<Live<A>> => {
  const scope = Scope.makeUnsafe()
  const value = await Effect.runPromise(effect.pipe(Effect.provideService(Scope.Scope, scope), Effect.provide(silent)))
  return {
    value,
    run: (effect) => Effect.runPromiseExit(Effect.provide(effect, silent)),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}
