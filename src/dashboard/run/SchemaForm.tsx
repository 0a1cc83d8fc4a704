/** The fields of a form that is made of a JSON Schema. Values are told upwards; nothing is kept here. */
import { createUniqueId, For, Index, type JSX, Match, Show, Switch } from "solid-js"
import { Button, IconButton } from "../components/Button.tsx"
import { Plus, X } from "../components/icons.ts"
import { emptyOf, type Fault, type Field, type NamedField, type Value } from "./schema.ts"

interface FieldProps<F extends Field = Field> {
  readonly field: F
  readonly label: string
  readonly path: string
  readonly required: boolean
  readonly value: Value | undefined
  readonly faults: ReadonlyArray<Fault>
  readonly onChange: (value: Value | undefined) => void
}

type Of<K extends Field["kind"]> = FieldProps<Extract<Field, { readonly kind: K }>>

const is = <K extends Field["kind"]>(props: FieldProps, ...kinds: ReadonlyArray<K>): Of<K> | undefined =>
  (kinds as ReadonlyArray<string>).includes(props.field.kind) ? props as Of<K> : undefined

const textOf = (value: Value | undefined): string => typeof value === "string" ? value : ""

const faultOf = (props: FieldProps) => props.faults.find(({ path }) => path === props.path)?.message

/** Label, what it is for, the control, and what is wrong with it. */
const Frame = (
  props: FieldProps & { readonly children: (ids: { readonly id: string; readonly about: string }) => JSX.Element }
) => {
  const id = createUniqueId()
  const about = `${id}-about`
  return (
    <div class="field">
      <label for={id}>
        {props.label}
        <Show when={!props.required}>
          <small>optional</small>
        </Show>
        <Show when={props.field.nullable}>
          <small>empty is null</small>
        </Show>
      </label>
      {props.children({ id, about })}
      <div id={about} class="small quiet">
        <Show when={faultOf(props)} fallback={props.field.description}>
          {(message) => <span role="alert" class="bad">{message()}</span>}
        </Show>
      </div>
    </div>
  )
}

const Text = (props: Of<"text" | "number" | "json">) => (
  <Frame {...props}>
    {({ about, id }) => (
      <Show
        when={props.field.kind === "json"}
        fallback={
          <input
            id={id}
            class="input"
            classList={{ num: props.field.kind === "number" }}
            inputmode={props.field.kind === "number" ? "decimal" : undefined}
            placeholder={props.field.kind === "text" ? props.field.format : undefined}
            autocomplete="off"
            spellcheck={false}
            aria-describedby={about}
            aria-invalid={faultOf(props) !== undefined}
            value={textOf(props.value)}
            onInput={(event) => props.onChange(event.currentTarget.value)}
          />
        }
      >
        <textarea
          id={id}
          class="input"
          rows={3}
          spellcheck={false}
          placeholder="JSON"
          aria-describedby={about}
          aria-invalid={faultOf(props) !== undefined}
          value={textOf(props.value)}
          onInput={(event) => props.onChange(event.currentTarget.value)}
        />
      </Show>
    )}
  </Frame>
)

/** A choice, and a switch that may be left out. */
const Select = (props: FieldProps & { readonly options: ReadonlyArray<string> }) => (
  <Frame {...props}>
    {({ about, id }) => (
      <select
        id={id}
        class="input"
        aria-describedby={about}
        value={textOf(props.value)}
        onChange={(event) => props.onChange(event.currentTarget.value === "" ? undefined : event.currentTarget.value)}
      >
        <Show when={!props.required || props.field.nullable}>
          <option value="">—</option>
        </Show>
        <For each={props.options}>
          {(option) => (
            <option value={option} selected={option === props.value}>{option.replace(/^"(.*)"$/u, "$1")}</option>
          )}
        </For>
      </select>
    )}
  </Frame>
)

const Check = (props: Of<"switch">) => (
  <label class="check" data-tip={props.field.description}>
    <input
      type="checkbox"
      checked={props.value === "true"}
      onChange={(event) => props.onChange(event.currentTarget.checked ? "true" : "false")}
    />
    {props.label}
  </label>
)

const List = (props: Of<"list">) => {
  const items = () => Array.isArray(props.value) ? props.value as ReadonlyArray<Value | undefined> : []
  const singular = () => props.label.replace(/s$/u, "")
  return (
    <fieldset class="fieldset">
      <legend>
        {props.label}
        <Show when={!props.required}>
          <small>optional</small>
        </Show>
      </legend>
      <div class="nested">
        <Index each={items()}>
          {(item, index) => (
            <div class="list-item">
              <Editor
                field={props.field.item}
                label={`${singular()} ${index + 1}`}
                path={`${props.path}/${index}`}
                required
                value={item()}
                faults={props.faults}
                onChange={(value) => props.onChange(items().with(index, value))}
              />
              <IconButton
                size="small"
                icon={X}
                label={`Remove ${singular()} ${index + 1}`}
                onClick={() => props.onChange(items().toSpliced(index, 1))}
              />
            </div>
          )}
        </Index>
        <Button
          size="small"
          icon={Plus}
          onClick={() => props.onChange([...items(), emptyOf(props.field.item, true)])}
        >
          Add {singular()}
        </Button>
      </div>
    </fieldset>
  )
}

const Group = (props: Of<"group">) => {
  const values = () =>
    typeof props.value === "object" && !Array.isArray(props.value)
      ? props.value as Readonly<Record<string, Value | undefined>>
      : undefined
  return (
    <fieldset class="fieldset">
      <legend>
        {props.label}
        <Show when={!props.required}>
          <label class="check">
            <input
              type="checkbox"
              checked={values() !== undefined}
              onChange={(event) => props.onChange(event.currentTarget.checked ? emptyOf(props.field, true) : undefined)}
            />
            <small>optional</small>
          </label>
        </Show>
      </legend>
      <Show when={values()}>
        {(values) => (
          <div class="nested">
            <Fields
              fields={props.field.fields}
              path={props.path}
              values={values()}
              faults={props.faults}
              onChange={props.onChange}
            />
          </div>
        )}
      </Show>
    </fieldset>
  )
}

export const Fields = (
  props: {
    readonly fields: ReadonlyArray<NamedField>
    readonly path: string
    readonly values: Readonly<Record<string, Value | undefined>>
    readonly faults: ReadonlyArray<Fault>
    readonly onChange: (values: Readonly<Record<string, Value | undefined>>) => void
  }
) => (
  <For each={props.fields}>
    {({ field, name, required }) => (
      <Editor
        field={field}
        label={name}
        path={`${props.path}/${name}`}
        required={required}
        value={props.values[name]}
        faults={props.faults}
        onChange={(value) => props.onChange({ ...props.values, [name]: value })}
      />
    )}
  </For>
)

/** One field of whatever kind. */
export const Editor = (props: FieldProps) => (
  <Switch>
    <Match when={is(props, "text", "number", "json")}>{(own) => <Text {...own()} />}</Match>
    <Match when={props.required && props.field.nullable !== true && is(props, "switch")}>
      {(own) => <Check {...own()} />}
    </Match>
    <Match when={is(props, "switch")}>{(own) => <Select {...own()} options={["true", "false"]} />}</Match>
    <Match when={is(props, "choice")}>{(own) => <Select {...own()} options={own().field.options} />}</Match>
    <Match when={is(props, "list")}>{(own) => <List {...own()} />}</Match>
    <Match when={is(props, "group")}>{(own) => <Group {...own()} />}</Match>
  </Switch>
)
