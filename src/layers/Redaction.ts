/**
 * What a control plane shows of the data of tasks: arguments, results, errors and progress without what is sensitive. Owns
 * which bytes take the place of which; what is sensitive is said by submissions and by the types of workers. What goes to
 * workers and to those who collect does not come by here.
 *
 * @since 0.1.0
 */
import * as Body from "../domain/Body.ts"
import type { TaskType } from "../domain/Message.ts"
import type { FailureReason } from "../domain/Outcome.ts"
import * as Sensitive from "../domain/Sensitive.ts"
import type { TaskOptions } from "../domain/Task.ts"
import type { Payload } from "../domain/View.ts"

/**
 * The parts of a task that are shown.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = keyof Sensitive.Sensitive

/**
 * Tells what is sensitive of a task; `undefined`: nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type SensitiveOf = (
  task: { readonly name: string; readonly options: TaskOptions | undefined }
) => Sensitive.Sensitive | undefined

/**
 * Creates what tells what is sensitive: what the submission said, and what the workers say now.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSensitiveOf = (type: (name: string) => TaskType | undefined): SensitiveOf => ({ name, options }) => {
  const ofType = type(name)?.sensitive
  return ofType === undefined ? options?.sensitive : Sensitive.union(options?.sensitive, ofType)
}

/**
 * Returns a part of a task as it is shown: the same bytes when nothing of it is sensitive.
 *
 * @category redaction
 * @since 0.1.0
 */
export const shown = (body: Body.Body, part: Part, sensitive: Sensitive.Sensitive | undefined): Body.Body => {
  const paths = sensitive?.[part]
  return paths === undefined || paths.length === 0 || body.length === 0
    ? body
    : Body.fromText(Sensitive.redact(Body.toText(body), paths))
}

const hidden = Body.fromText(JSON.stringify({ message: Sensitive.placeholder }))

/**
 * Returns an encoded error as it is shown: without what is sensitive of it, and without the values of sensitive arguments,
 * which a handler may have put into it. Without the arguments to compare with nothing of it is shown.
 *
 * @category redaction
 * @since 0.1.0
 */
export const shownError = (
  reason: FailureReason | "lost",
  body: Body.Body,
  sensitive: Sensitive.Sensitive | undefined,
  args: Body.Body | undefined
): Body.Body => {
  if (sensitive === undefined || body.length === 0) return body
  const declared = reason === "error" ? shown(body, "error", sensitive) : body
  if (sensitive.args === undefined || sensitive.args.length === 0) return declared
  const parsed = args === undefined ? undefined : read(Body.toText(args))
  if (parsed === undefined) return hidden
  return Body.fromText(Sensitive.scrubJson(Body.toText(declared), Sensitive.valuesAt(parsed.value, sensitive.args)))
}

const read = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: text === "" ? {} : JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

/**
 * Returns what a payload says of what is not shown of it.
 *
 * @category getters
 * @since 0.1.0
 */
export const redactedOf = (part: Part, sensitive: Sensitive.Sensitive | undefined): Pick<Payload, "redacted"> => {
  const paths = sensitive?.[part]
  return paths === undefined || paths.length === 0 ? {} : { redacted: paths }
}
