/** What a task takes, gives back and fails with: as a table for people, or the JSON Schema as it is. */
import { createMemo, createSignal, For, Show } from "solid-js"
import type { TypeDetail } from "../../../domain/View.ts"
import { SegmentedControl, Tabs } from "../../components/Choice.tsx"
import { JsonView } from "../../components/JsonView.tsx"
import { type SchemaRow, schemaRows } from "./schemaRows.ts"

type Part = "args" | "result" | "error"
type Form = "table" | "json"

const parts: ReadonlyArray<{ readonly value: Part; readonly label: string; readonly none: string }> = [
  { value: "args", label: "Arguments", none: "It says nothing of its arguments: any JSON will do." },
  { value: "result", label: "Result", none: "It says nothing of its result." },
  { value: "error", label: "Error", none: "It declares no error of its own. It may still throw, or time out." }
]

export const SchemaPanel = (props: { readonly type: TypeDetail }) => {
  const [part, setPart] = createSignal<Part>("args")
  const [form, setForm] = createSignal<Form>("table")
  const text = () =>
    ({ args: props.type.argsSchema, result: props.type.resultSchema, error: props.type.errorSchema })[part()]
  const rows = createMemo(() => {
    const schema = text()
    return schema === undefined ? undefined : schemaRows(schema)
  })
  const chosen = () => parts.find(({ value }) => value === part())
  return (
    <section class="block" aria-labelledby="schema">
      <header>
        <h2 id="schema">Schema</h2>
      </header>
      <div class="schema-head">
        <Tabs label="Schema of" value={part()} options={parts} onChange={setPart} controls="schema-panel" />
        <Show when={text() !== undefined}>
          <SegmentedControl
            label="Shown as"
            value={form()}
            options={[{ value: "table", label: "Table" }, { value: "json", label: "JSON Schema" }]}
            onChange={setForm}
          />
        </Show>
      </div>
      <div id="schema-panel" role="tabpanel" aria-label={chosen()?.label}>
        <Show when={text()} fallback={<p class="panel-pad quiet">{chosen()?.none}</p>}>
          {(text) => (
            <Show
              when={form() === "table" ? rows() : undefined}
              fallback={
                <div class="schema-raw">
                  <JsonView text={text()} label={`the schema of the ${chosen()?.label.toLowerCase() ?? ""}`} />
                </div>
              }
            >
              {(rows) => <Rows rows={rows()} />}
            </Show>
          )}
        </Show>
      </div>
    </section>
  )
}

const Rows = (props: { readonly rows: ReadonlyArray<SchemaRow> }) => {
  const isDescribed = () => props.rows.some(({ description }) => description !== undefined)
  return (
    <table class="table schema">
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Type</th>
          <Show when={isDescribed()}>
            <th scope="col">Description</th>
          </Show>
        </tr>
      </thead>
      <tbody>
        <For each={props.rows}>
          {(row) => (
            <tr>
              <td>
                <span class="mono field-name" style={{ "--depth": row.depth }}>
                  {row.name === "" ? "(the value)" : row.name === "*" ? "(any name)" : row.name}
                  <Show when={!row.required && row.name !== "*"}>
                    <i>optional</i>
                  </Show>
                </span>
              </td>
              <td>
                {row.type}
                <Show when={row.notes.length > 0}>
                  <small>{row.notes.join(", ")}</small>
                </Show>
              </td>
              <Show when={isDescribed()}>
                <td class="quiet">{row.description ?? ""}</td>
              </Show>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  )
}
