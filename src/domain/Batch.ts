/**
 * Many items in one message: a list of them, or groups of items that differ in nothing but id and size and say the rest
 * once. Owns how many there may be and what a group is.
 *
 * A group is to its items what a column is to a row: to print, parse and check them one by one was a quarter of what a
 * task cost a control plane.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { BadRequest } from "./Errors.ts"

/**
 * Most tasks, ids, reports or leases in one message.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxBatch = 10_000

/**
 * Schema for a list of so many items at most.
 *
 * @category schemas
 * @since 0.1.0
 */
export const batch = <S extends Schema.Constraint>(item: S) => Schema.Array(item).check(Schema.isMaxLength(maxBatch))

/**
 * What items that can be in a group have.
 *
 * @category models
 * @since 0.1.0
 */
export interface Item {
  readonly id?: string
  /** Bytes of its body. */
  readonly size?: number
}

/**
 * Items that have everything in common but these.
 *
 * @category models
 * @since 0.1.0
 */
export interface Members {
  readonly ids: ReadonlyArray<string>
  /** Of the body of each. */
  readonly sizes: ReadonlyArray<number>
}

/**
 * A group of items.
 *
 * @category models
 * @since 0.1.0
 */
export type Group<I extends Item> = Members & Omit<I, keyof Item>

/**
 * Returns the items of a message: those of its list, then those of its groups. Fails when a group has not as many sizes as
 * ids, and when there are more than {@link maxBatch} in all.
 *
 * @category getters
 * @since 0.1.0
 */
export const itemsOf = <I extends Item>(
  list: ReadonlyArray<I> = [],
  groups: ReadonlyArray<Group<I>> = []
): Result.Result<ReadonlyArray<I>, BadRequest> => {
  if (groups.length === 0) return Result.succeed(list)
  const items: Array<I> = [...list]
  for (const { ids, sizes, ...common } of groups) {
    if (ids.length !== sizes.length) {
      return Result.fail(new BadRequest({ reason: `a group has ${ids.length} ids and ${sizes.length} sizes` }))
    }
    if (items.length + ids.length > maxBatch) {
      return Result.fail(new BadRequest({ reason: `more than ${maxBatch} items in one message` }))
    }
    for (let i = 0; i < ids.length; i++) {
      items.push({ ...common, id: ids[i], size: sizes[i] } as unknown as I)
    }
  }
  return Result.succeed(items)
}

/**
 * Returns items as groups of neighbours that have everything in common but id and size. `isSame` tells whether an item may
 * be in the group that begins with another; `commonOf` returns what they have in common.
 *
 * @category constructors
 * @since 0.1.0
 */
export const groupsOf = <I extends { readonly id: string }, C extends object>(
  items: ReadonlyArray<I>,
  { commonOf, isSame, sizeOf }: {
    readonly isSame: (first: I, item: I) => boolean
    readonly sizeOf: (item: I) => number
    readonly commonOf: (first: I) => C
  }
): ReadonlyArray<Members & C> => {
  const groups: Array<Members & C> = []
  let from = 0
  for (let to = 1; to <= items.length; to++) {
    const first = items[from] as I
    if (to < items.length && isSame(first, items[to] as I)) continue
    const ids: Array<string> = []
    const sizes: Array<number> = []
    for (; from < to; from++) {
      const item = items[from] as I
      ids.push(item.id)
      sizes.push(sizeOf(item))
    }
    groups.push({ ...commonOf(first), ids, sizes })
  }
  return groups
}
