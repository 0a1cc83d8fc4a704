/**
 * The four priorities and their order. Owns the names and the levels that travel on the wire; the order in which waiting
 * tasks are served, and the bound on starvation, belong to the queue.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Schema for the name of a priority, most urgent first.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Priority = Schema.Literals(["critical", "high", "normal", "low"])

/**
 * The name of a priority.
 *
 * @category models
 * @since 0.1.0
 */
export type Priority = typeof Priority.Type

/**
 * Priorities in the order in which they are served: the index is the level.
 *
 * @category constants
 * @since 0.1.0
 */
export const priorities: ReadonlyArray<Priority> = Priority.literals

/**
 * A priority as a number: 0 is the most urgent, 3 the least.
 *
 * @category models
 * @since 0.1.0
 */
export type PriorityLevel = 0 | 1 | 2 | 3

const levels: Readonly<Record<Priority, PriorityLevel>> = { critical: 0, high: 1, normal: 2, low: 3 }

/**
 * Returns the level of a priority, 0 for `critical` to 3 for `low`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toLevel = (priority: Priority): PriorityLevel => levels[priority]

/**
 * Returns the name of a level.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromLevel = (level: PriorityLevel): Priority => Priority.literals[level]
