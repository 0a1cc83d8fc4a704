import * as Effect from "effect/Effect"

/** Waits until `condition` holds; fails, naming `what`, when it does not within the time. */
export const until = <E = never, R = never>(
  what: string,
  condition: (() => boolean) | Effect.Effect<boolean, E, R>,
  millis = 10_000
): Effect.Effect<void, E | Error, R> =>
  Effect.gen(function*() {
    const check = Effect.isEffect(condition) ? condition : Effect.sync(condition)
    const end = performance.now() + millis
    while (!(yield* check)) {
      if (performance.now() > end) return yield* Effect.fail(new Error(`not within ${millis} ms: ${what}`))
      yield* Effect.sleep(5)
    }
  })
