/** The rules of a task type, for people. Pure. */
import type { Limits } from "../../../domain/Message.ts"
import type { TypeRow } from "../../../domain/View.ts"
import { count, duration } from "../../format.ts"

const rateOf = ({ limit, per }: { readonly limit: number; readonly per: number }) =>
  `${count(limit)} in ${duration(per)}`

/** How many run at once, and how many start in a time. */
export const limitWords = ({ concurrency, keyConcurrency, keyRate, rate }: Limits = {}): ReadonlyArray<string> => [
  ...concurrency === undefined ? [] : [`At most ${count(concurrency)} at once`],
  ...rate === undefined ? [] : [`At most ${rateOf(rate)}`],
  ...keyConcurrency === undefined ? [] : [`At most ${count(keyConcurrency)} at once for each key`],
  ...keyRate === undefined ? [] : [`At most ${rateOf(keyRate)} for each key`]
]

/** Share of the finished tasks that failed, since the control plane's start; `undefined` without any. */
export const failedShare = ({ failed, finished }: Pick<TypeRow, "failed" | "finished">): number | undefined =>
  finished === 0 ? undefined : failed / finished
