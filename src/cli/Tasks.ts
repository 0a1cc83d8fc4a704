/**
 * `fastworker tasks`: the task names that a control plane knows, or that files define.
 *
 * @since 0.1.0
 */
import { Command, Flag } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { relative, resolve } from "node:path"
import { makeFromFiles } from "../layers/TaskRegistryModules.ts"
import { Client } from "../services/Client.ts"
import { withClient } from "./Asking.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"

interface Row {
  readonly name: string
  readonly description: string
  readonly priority: string
  /** The file that defines it, or the workers that run it. */
  readonly from: ReadonlyArray<string>
}

/** The names under what they come from, drawn as a tree. */
const tree = (rows: ReadonlyArray<Row>): string => {
  const groups = new Map<string, Array<Row>>()
  for (const row of rows) {
    for (const from of row.from.length === 0 ? ["(no worker connected)"] : row.from) {
      groups.set(from, [...(groups.get(from) ?? []), row])
    }
  }
  return [...groups].map(([from, members]) => {
    const lines = members.map(({ description, name, priority }, index) =>
      `${index === members.length - 1 ? "└─" : "├─"} ${name} (${priority})${
        description === "" ? "" : `: ${description}`
      }`
    )
    return [from, ...lines].join("\n")
  }).join("\n")
}

export const tasks = Command.make(
  "tasks",
  {
    ...Flags.taskFiles,
    tree: Flag.Boolean("tree").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Draw the names under the file, or the worker, that they come from")
    ),
    ...Flags.target
  },
  Effect.fnUntraced(function*(flags) {
    const { json } = yield* Flags.root
    const files = [...flags.tasks, ...flags.files]

    const fromFiles = makeFromFiles(files).pipe(
      Effect.scoped,
      Effect.map(({ fileOf, registry }) =>
        registry.handlers.map(({ definition: { description = "", name, priority = "normal" } }): Row => ({
          name,
          description,
          priority,
          from: [relative("", resolve(fileOf.get(name) ?? ""))]
        }))
      ),
      Effect.catch((error) => Output.fail(json, error))
    )
    const fromControlPlane = withClient(
      flags,
      Effect.gen(function*() {
        const client = yield* Client
        const tasks = yield* client.tasks.pipe(Effect.catch((error) => Output.fail(json, error)))
        return tasks.map(({ description = "", name, priority = "normal", workers }): Row => ({
          name,
          description,
          priority,
          from: workers
        }))
      })
    )

    const rows = yield* files.length > 0 ? fromFiles : fromControlPlane
    if (json) return yield* Output.json({ tasks: rows })
    if (rows.length === 0) return yield* Console.log("No tasks: no worker has announced any yet")
    if (flags.tree) return yield* Console.log(tree(rows))
    const header = ["task", "priority", files.length > 0 ? "file" : "workers", "description"]
    yield* Console.log(
      Output.table(
        header,
        rows.map(({ description, from, name, priority }) => [
          name,
          priority,
          from.join(" "),
          description
        ])
      )
    )
  })
).pipe(Command.withDescription("List task names, of a running control plane or of files"))
