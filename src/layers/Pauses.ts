/**
 * What is paused: everything, task types, workers. Part of the core of a control plane.
 *
 * @since 0.1.0
 */

/**
 * What is paused.
 *
 * @category models
 * @since 0.1.0
 */
export type Pauses = ReturnType<typeof makePauses>

/** Names that can be paused: they come from outside, and must not pile up. */
const maxPaused = 10_000

/**
 * Creates the state in which nothing is paused. A target is written `all`, `task:NAME` or `worker:ID`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makePauses = () => {
  const paused = new Set<string>()
  return {
    /** Returns whether it is paused now: there is a bound on what can be. */
    pause(target: string): boolean {
      if (paused.size < maxPaused) paused.add(target)
      return paused.has(target)
    },
    /** Returns whether it was paused. */
    resume: (target: string): boolean => paused.delete(target),
    /** Whether tasks do not start: all of them, or those of a name. */
    isPaused: (name?: string): boolean =>
      paused.size > 0 && (paused.has("all") || (name !== undefined && paused.has(`task:${name}`))),
    isWorkerPaused: (id: string): boolean => paused.size > 0 && paused.has(`worker:${id}`),
    targets: (): ReadonlyArray<string> => [...paused]
  }
}
