/** The dialog that submits a task: a type, its arguments, and how it is to run. */
import { useNavigate } from "@solidjs/router"
import { createSignal, createUniqueId, For, Show } from "solid-js"
import type { Priority } from "../../domain/Priority.ts"
import type { Problem } from "../api/Client.ts"
import { createQuery } from "../api/createQuery.ts"
import { Button } from "../components/Button.tsx"
import { Dialog } from "../components/Dialog.tsx"
import type { Draft } from "../components/Dialogs.ts"
import { Skeleton } from "../components/Feedback.tsx"
import { Play } from "../components/icons.ts"
import { priorityLabels } from "../components/StatusBadge.tsx"
import { useApp } from "../Context.ts"
import { priorities } from "../live/merge.ts"
import { taskPath } from "../paths.ts"
import { type Args, ArgsEditor } from "./ArgsEditor.tsx"
import { delayOf } from "./delay.ts"
import { nameOf, withoutRedacted } from "./redacted.ts"
import "./run.css"

export const RunTask = (props: { readonly draft: Draft; readonly onClose: () => void }) => {
  const { api, live, toasts } = useApp()
  const navigate = useNavigate()
  const id = createUniqueId()
  const [name, setName] = createSignal(props.draft.name ?? "")
  const redacted = () => props.draft.redacted ?? []
  const given = props.draft.args === undefined ? undefined : withoutRedacted(props.draft.args, redacted())
  const [args, setArgs] = createSignal<Args>({ text: given ?? "{}", problem: undefined })
  const [priority, setPriority] = createSignal<Priority | "">(props.draft.priority ?? "")
  const [delay, setDelay] = createSignal("")
  const [tags, setTags] = createSignal((props.draft.tags ?? []).join(", "))
  const [tenant, setTenant] = createSignal(props.draft.tenant ?? "")
  const [tried, setTried] = createSignal(false)
  const [busy, setBusy] = createSignal(false)
  const [problem, setProblem] = createSignal<Problem>()

  const types = createQuery(() => true as const, (_, signal) => api.types.list(signal))
  const known = () => types.data()?.types.find((type) => type.name === name().trim())
  const type = createQuery(() => known()?.name, (name, signal) => api.types.detail(name, signal), { forget: true })
  /** The editor starts anew with another type: not before its schema is there. */
  const ready = () =>
    name().trim() !== "" && types.data() !== undefined &&
    (known() === undefined || type.data() !== undefined || type.problem() !== undefined)

  const fault = () => {
    if (name().trim() === "") return "Say which task."
    if (delay() !== "" && delayOf(delay()) === undefined) return "Write the delay as 90 s, 10 m or 1 h 30 m."
    return args().problem
  }
  const submit = async () => {
    setTried(true)
    if (fault() !== undefined || busy() || live.blocked() !== undefined) return
    setBusy(true)
    const wait = delayOf(delay())
    const own = tags().split(",").map((tag) => tag.trim()).filter((tag) => tag !== "")
    const chosen = priority()
    const result = await api.tasks.submit({
      name: name().trim(),
      args: args().text,
      ...chosen === "" ? {} : { priority: chosen },
      ...wait === undefined ? {} : { in: wait },
      ...own.length === 0 ? {} : { tags: own },
      ...tenant().trim() === "" ? {} : { tenant: tenant().trim() }
    })
    setBusy(false)
    if (!result.ok) {
      setProblem(result.problem)
      return
    }
    const task = result.value.id
    toasts.add({ text: `${name().trim()} is submitted.`, undo: () => navigate(taskPath(task)), label: "Open" })
    props.onClose()
  }

  return (
    <Dialog
      title={props.draft.args === undefined ? "Run a task" : "Run again with edits"}
      width={560}
      onClose={props.onClose}
      footer={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button kind="primary" icon={Play} busy={busy()} blocked={live.blocked()} onClick={() => void submit()}>
            Run
          </Button>
        </>
      }
    >
      <form
        class="run"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault()
            void submit()
          }
        }}
      >
        <div class="field">
          <label for={id}>Task type</label>
          <input
            id={id}
            class="input mono"
            list={`${id}-types`}
            autocomplete="off"
            spellcheck={false}
            placeholder="email.send"
            aria-describedby={`${id}-about`}
            value={name()}
            onInput={(event) => setName(event.currentTarget.value)}
          />
          <datalist id={`${id}-types`}>
            <For each={types.data()?.types ?? []}>{(type) => <option value={type.name} />}</For>
          </datalist>
          <p id={`${id}-about`}>
            <Show
              when={name().trim() === "" || types.data() === undefined || known() !== undefined}
              fallback="No worker has announced it: it waits until one does."
            >
              {type.data()?.description ?? (types.data()?.types.length === 0 ? "No worker is connected yet." : "")}
            </Show>
          </p>
        </div>
        <Show
          when={ready()}
          fallback={
            <Show when={name().trim() !== "" && type.loading()}>
              <Skeleton rows={3} />
            </Show>
          }
        >
          <Show when={redacted().length > 0}>
            <p class="small quiet">Sensitive and not shown, type it again: {redacted().map(nameOf).join(", ")}</p>
          </Show>
          <ArgsEditor schema={type.data()?.argsSchema} args={given} tried={tried()} onChange={setArgs} />
        </Show>
        <details class="more-options">
          <summary>Priority, delay, tags</summary>
          <div class="options">
            <div class="field">
              <label for={`${id}-priority`}>Priority</label>
              <select
                id={`${id}-priority`}
                class="input"
                value={priority()}
                onChange={(event) => setPriority(event.currentTarget.value as Priority | "")}
              >
                <option value="">
                  {`As the type says${
                    known()?.priority === undefined ? "" : ` (${priorityLabels[known()?.priority ?? "normal"]})`
                  }`}
                </option>
                <For each={priorities}>{(level) => <option value={level}>{priorityLabels[level]}</option>}</For>
              </select>
            </div>
            <div class="field">
              <label for={`${id}-delay`}>Start in</label>
              <input
                id={`${id}-delay`}
                class="input"
                placeholder="now"
                autocomplete="off"
                value={delay()}
                onInput={(event) => setDelay(event.currentTarget.value)}
              />
            </div>
            <div class="field">
              <label for={`${id}-tags`}>Tags</label>
              <input
                id={`${id}-tags`}
                class="input"
                placeholder="one, two"
                autocomplete="off"
                value={tags()}
                onInput={(event) => setTags(event.currentTarget.value)}
              />
            </div>
            <div class="field">
              <label for={`${id}-tenant`}>Tenant</label>
              <input
                id={`${id}-tenant`}
                class="input"
                autocomplete="off"
                value={tenant()}
                onInput={(event) => setTenant(event.currentTarget.value)}
              />
            </div>
          </div>
        </details>
        <Show when={tried() && fault()}>{(text) => <p role="alert" class="bad">{text()}</p>}</Show>
        <Show when={problem()}>
          {(problem) => <p role="alert" class="bad">{problem().title}: {problem().detail}</p>}
        </Show>
        <button type="submit" class="reader" tabIndex={-1} aria-hidden="true">Run</button>
      </form>
    </Dialog>
  )
}
