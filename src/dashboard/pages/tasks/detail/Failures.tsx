/** Why it failed: the last failure whole, those of the attempts before it folded. */
import { createMemo, For, Show } from "solid-js"
import type { Failure, TaskDetail } from "../../../../domain/View.ts"
import { CopyButton } from "../../../components/CopyButton.tsx"
import { PayloadView } from "./PayloadView.tsx"
import { type FrameGroup, parseStack } from "./stack.ts"

const reasons: Readonly<Record<Failure["reason"], string>> = {
  error: "Declared error",
  defect: "Unexpected error",
  arguments: "Arguments not accepted",
  crash: "Its workers died",
  timeout: "Took too long",
  unknown: "No handler",
  size: "Result too large",
  lost: "Worker lost"
}

export const Failures = (props: { readonly task: TaskDetail }) => {
  const attempts = () => props.task.attempts.filter(({ failure }) => failure !== undefined)
  const last = () => props.task.failure ?? attempts().at(-1)?.failure
  /** The last attempt's failure is the task's. */
  const before = () => attempts().slice(0, -1)
  return (
    <Show when={last()} fallback={<p class="quiet none">Nothing failed.</p>}>
      {(failure) => (
        <>
          <FailureView failure={failure()} id={props.task.id} />
          <Show when={before().length > 0}>
            <h2 class="earlier">Earlier attempts</h2>
            <For each={before()}>
              {(attempt) => (
                <details class="attempt-error">
                  <summary>
                    <span class="num quiet">#{attempt.attempt}</span>
                    <b>{attempt.failure?.type}</b>
                    <span class="quiet clip">{attempt.failure?.message}</span>
                  </summary>
                  <Show when={attempt.failure}>{(failure) => <FailureView failure={failure()} />}</Show>
                </details>
              )}
            </For>
          </Show>
        </>
      )}
    </Show>
  )
}

const FailureView = (props: { readonly failure: Failure; readonly id?: string }) => {
  const stack = createMemo(() => props.failure.stack === undefined ? undefined : parseStack(props.failure.stack))
  return (
    <div class="failure">
      <p class="failure-head">
        <b data-tone="bad">{props.failure.type}</b>
        <span class="tag">{reasons[props.failure.reason]}</span>
      </p>
      <Show when={props.failure.message !== ""}>
        <p class="failure-text">{props.failure.message}</p>
      </Show>
      <Show when={stack()}>
        {(stack) => (
          <section class="stack copyable" aria-label="Stack">
            <ol>
              <For each={stack().groups}>{(group) => <Frames group={group} />}</For>
            </ol>
            <CopyButton text={props.failure.stack ?? ""} label="Copy the stack" />
          </section>
        )}
      </Show>
      <Show when={props.failure.payload}>
        {(payload) => (
          <>
            <h2>Error as it was sent</h2>
            {/* Only the last error of a task can be loaded whole. */}
            <PayloadView
              id={props.id ?? ""}
              part="error"
              payload={props.id === undefined ? { ...payload(), truncated: false } : payload()}
              label="Error"
              missing=""
            />
          </>
        )}
      </Show>
    </div>
  )
}

const Frames = (props: { readonly group: FrameGroup }) => (
  <Show
    when={props.group.isOwn}
    fallback={
      <li>
        <details>
          <summary class="quiet">
            {props.group.frames.length === 1 ? "1 frame" : `${props.group.frames.length} frames`} of libraries
          </summary>
          <ol>
            <For each={props.group.frames}>{(frame) => <li class="mono faint">{frame.text}</li>}</For>
          </ol>
        </details>
      </li>
    }
  >
    <For each={props.group.frames}>
      {(frame) => (
        <li class="mono own">
          <b>{frame.call === "" ? frame.place : frame.call}</b>
          <Show when={frame.call !== "" && frame.place !== ""}>
            <span class="quiet">{frame.place}</span>
          </Show>
        </li>
      )}
    </For>
  </Show>
)
