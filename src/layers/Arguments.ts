/**
 * The arguments of an attempt: from the text of the wire to what the handler takes, brought up from the version of the
 * definition that they were made with.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { Issue } from "../domain/JsonCodec.ts"
import type { RegisteredHandler } from "../domain/TaskDefinition.ts"
import type { Attempt } from "../services/Executor.ts"

/** Arguments as text of another version to those of this one. */
const upgraded = (upgrade: (args: unknown, from: number) => unknown, from: number, text: string) =>
  Result.try({
    try: () => JSON.stringify(upgrade(JSON.parse(text), from)) ?? "null",
    catch: (cause): ReadonlyArray<Issue> => [{
      field: "",
      message: `the upgrade of the definition threw ${cause instanceof Error ? cause.name : typeof cause}`
    }]
  })

/**
 * Decodes the arguments of an attempt; fails with everything that is wrong with them.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  { definition: { args: codec, policy: { upgrade, version: ours } } }: RegisteredHandler,
  { args, version: theirs = 1 }: Attempt
): Result.Result<unknown, ReadonlyArray<Issue>> => {
  const text = args === "" ? "{}" : args
  if (theirs === ours) return codec.decode(text)
  const issue = (advice: string): Issue => ({
    field: "",
    message: `the arguments are of version ${theirs}, this worker's definition is of version ${ours}${advice}`
  })
  // What a newer definition means is unknown, even if it decodes.
  if (theirs > ours) return Result.fail([issue(": update it")])
  const current = upgrade === undefined ? Result.succeed(text) : upgraded(upgrade, theirs, text)
  return Result.mapError(Result.flatMap(current, codec.decode), (issues) => [issue(""), ...issues])
}
