/**
 * Arguments of a task as JSON text: in a form made of the schema, or as text. Big numbers and the order of what is not
 * touched stay as they are.
 */
import { createEffect, createMemo, createSignal, createUniqueId, on, Show } from "solid-js"
import { SegmentedControl } from "../components/Choice.tsx"
import { jsonProblem, pretty } from "../components/json.ts"
import { emptyOf, fieldOf, textOf, type Value, valueOf } from "./schema.ts"
import { Editor, Fields } from "./SchemaForm.tsx"

export interface Args {
  readonly text: string
  /** Why it can't be sent; `undefined` when it can. */
  readonly problem: string | undefined
}

export const ArgsEditor = (
  props: {
    /** JSON Schema, as text. */
    readonly schema?: string | undefined
    /** What it starts with, JSON text. */
    readonly args?: string | undefined
    /** Shows what is wrong in each field: after the first try. */
    readonly tried?: boolean
    readonly onChange: (args: Args) => void
  }
) => {
  const id = createUniqueId()
  const field = createMemo(() => props.schema === undefined ? undefined : fieldOf(props.schema))
  const [mode, setMode] = createSignal<"form" | "json">("form")
  const [value, setValue] = createSignal<Value>()
  const [text, setText] = createSignal("")

  const start = () => {
    const form = field()
    const given = props.args
    const fitting = form === undefined ? undefined : given === undefined ? emptyOf(form, true) : valueOf(form, given)
    setValue(() => fitting)
    setText(given !== undefined ? pretty(given) : form === undefined ? "{}" : pretty(textOf(form, fitting).text))
    setMode(form !== undefined && form.kind !== "json" && fitting !== undefined ? "form" : "json")
  }
  createEffect(on([field, () => props.args], start))

  const made = createMemo(() => {
    const form = field()
    return form === undefined ? undefined : textOf(form, value())
  })
  createEffect(() => {
    const form = made()
    if (mode() === "form" && form !== undefined) {
      const [fault] = form.faults
      props.onChange({
        text: form.text,
        problem: fault === undefined
          ? undefined
          : `${fault.path.slice(1).replaceAll("/", ".") || "The value"}: ${fault.message}`
      })
    } else props.onChange({ text: text(), problem: jsonProblem(text()) })
  })
  const change = (next: "form" | "json") => {
    const form = field()
    if (form === undefined) return
    if (next === "json") setText(pretty(textOf(form, value()).text))
    else {
      const fitting = valueOf(form, text())
      if (fitting === undefined) return
      setValue(() => fitting)
    }
    setMode(next)
  }
  const group = () => {
    const form = field()
    return form?.kind === "group" ? form : undefined
  }
  const faults = () => props.tried === true ? made()?.faults ?? [] : []

  return (
    <div class="args">
      <Show when={field() !== undefined && field()?.kind !== "json"}>
        <SegmentedControl
          label="Edit the arguments as"
          value={mode()}
          options={[{ value: "form", label: "Form" }, { value: "json", label: "JSON" }]}
          onChange={change}
        />
      </Show>
      <Show
        when={mode() === "form" && field()}
        fallback={
          <div class="field">
            <label for={id}>
              Arguments <small>JSON</small>
            </label>
            <textarea
              id={id}
              class="input"
              rows={Math.min(18, Math.max(5, text().split("\n").length + 1))}
              spellcheck={false}
              aria-invalid={jsonProblem(text()) !== undefined}
              aria-describedby={`${id}-about`}
              value={text()}
              onInput={(event) => setText(event.currentTarget.value)}
            />
            <div id={`${id}-about`} class="small bad">{jsonProblem(text()) ?? ""}</div>
          </div>
        }
      >
        {(form) => (
          <Show
            when={group()}
            fallback={
              <Editor
                field={form()}
                label="Arguments"
                path=""
                required
                value={value()}
                faults={faults()}
                onChange={setValue}
              />
            }
          >
            {(form) => (
              <Show when={form().fields.length > 0} fallback={<p class="quiet">It takes no arguments.</p>}>
                <Fields
                  fields={form().fields}
                  path=""
                  values={(value() ?? {}) as Readonly<Record<string, Value | undefined>>}
                  faults={faults()}
                  onChange={setValue}
                />
              </Show>
            )}
          </Show>
        )}
      </Show>
    </div>
  )
}
