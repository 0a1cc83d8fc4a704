/** A promise settled from outside. */
export interface Deferred {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

/** Makes a `Deferred`; Promise.withResolvers is missing from Node 20. */
export const makeDeferred = (): Deferred => {
  let resolve = (): void => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
