/** A task as code that submits the same once more, and all that is known of it as JSON. Pure. */
import type { Payload, TaskDetail } from "../../../../domain/View.ts"
import { pretty } from "../../../components/json.ts"

type Submitted = Pick<TaskDetail, "name" | "priority" | "tags" | "tenant">

const literal = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(literal).join(", ")}]` : JSON.stringify(value)

/** Says what the priority is only when it is not the usual one. */
const optionsOf = ({ priority, tags, tenant }: Submitted): ReadonlyArray<readonly [string, unknown]> => [
  ...priority === "normal" ? [] : [["priority", priority] as const],
  ...tags === undefined || tags.length === 0 ? [] : [["tags", tags] as const],
  ...tenant === undefined ? [] : [["tenant", tenant] as const]
]

/** JSON is an expression of TypeScript; `args` is put in as it is. */
export const typescriptOf = (task: Submitted, args: string): string => {
  const options = optionsOf(task)
  const end = options.length === 0
    ? ""
    : `, { ${options.map(([name, value]) => `${name}: ${literal(value)}`).join(", ")} }`
  return `import { Task } from "fastworker"

const task = Task.untyped(${literal(task.name)})
const handle = yield* client.delay(task, ${pretty(args)}${end})
`
}

/** For a POSIX shell: nothing in it is read but the closing quote. */
const quoted = (text: string) => /^[\w@%+=:,./-]+$/u.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

export const commandOf = (task: Submitted, args: string): string =>
  [
    "fastworker submit",
    quoted(task.name),
    quoted(args),
    ...task.priority === "normal" ? [] : [`--priority ${task.priority}`],
    ...(task.tags ?? []).map((tag) => `--tag ${quoted(tag)}`),
    ...task.tenant === undefined ? [] : [`--tenant ${quoted(task.tenant)}`]
  ].join(" ")

const isPayload = (value: unknown): value is Payload =>
  typeof value === "object" && value !== null && "truncated" in value && "text" in value

/** With payloads as the JSON that they are: through `JSON.parse` long numbers would lose their last digits. */
export const rawOf = (value: unknown): string => {
  if (isPayload(value) && !value.truncated && value.text !== "") return value.text
  if (Array.isArray(value)) return `[${value.map(rawOf).join(",")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  return `{${
    Object.entries(value).flatMap(([name, part]) => part === undefined ? [] : [`${literal(name)}:${rawOf(part)}`])
      .join(",")
  }}`
}
