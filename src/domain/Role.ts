/**
 * What a peer may do, once it has proved it. Owns the names; the keys are made in `layers/Secret.ts`, what each may do is
 * decided where requests are understood.
 *
 * @since 0.1.0
 */

/**
 * What a peer may do: an `observer` reads, a `client` submits and changes, a `worker` runs tasks and may do what a client
 * may (its handlers submit), an `operator` all of it.
 *
 * @category constants
 * @since 0.1.0
 */
export const roles = ["operator", "client", "worker", "observer"] as const

/**
 * What a peer may do.
 *
 * @category models
 * @since 0.1.0
 */
export type Role = (typeof roles)[number]
