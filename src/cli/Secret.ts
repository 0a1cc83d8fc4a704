/**
 * `fastworker secret`: makes a secret, or of the one that is set the key of a role.
 *
 * @since 0.1.0
 */
import { Command, Flag } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { roles } from "../domain/Role.ts"
import * as Secret from "../layers/Secret.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"

const role = Flag.Literals("role", roles).pipe(
  Flag.optional,
  Flag.withDescription(
    "Print the key of this role, made of the secret that is set: a client may not run tasks, a worker may do what a " +
      "client may, an observer only reads"
  )
)

export const secret = Command.make(
  "secret",
  { role, secret: Flags.secret },
  Effect.fnUntraced(function*(flags) {
    const { json } = yield* Flags.root
    const print = (secret: string) => json ? Output.json({ secret }) : Console.log(secret)
    if (Option.isNone(flags.role)) return yield* print(Secret.makeSecret())
    if (flags.secret === undefined) {
      return yield* Output.usage(
        json,
        "the key of a role is made of the secret: set FASTWORKER_SECRET or --secret-file"
      )
    }
    const problem = Secret.problem(flags.secret)
    if (problem !== undefined) return yield* Output.usage(json, problem)
    if (Secret.planeKey(flags.secret) === undefined) {
      return yield* Output.usage(
        json,
        "this is the key of a role already: the key of another is made of the secret itself"
      )
    }
    yield* print(Secret.roleKeyText(flags.secret, flags.role.value))
  })
).pipe(Command.withDescription("Make a secret for all processes of an application, or the key of a role"))
