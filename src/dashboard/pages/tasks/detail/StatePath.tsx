/** The states that a task went through: as a line with the time in each, and as a table. */
import { For, Show } from "solid-js"
import type { TaskDetail } from "../../../../domain/View.ts"
import { StatusBadge } from "../../../components/StatusBadge.tsx"
import { Took } from "../../../components/Times.tsx"
import { duration, exact } from "../../../format.ts"
import { isFinal } from "./states.ts"

/** States in the line: the first one and the last ones. */
const maxShown = 7

/** A state of the path as people see it: delayed after a running one is a retry. */
const shownAt = (path: TaskDetail["path"], index: number) => ({
  state: path[index]?.state ?? "queued",
  retrying: path[index]?.state === "delayed" && index > 0 && path[index - 1]?.state !== "queued"
})

export const StatePath = (props: { readonly task: TaskDetail }) => {
  const path = () => props.task.path
  const left = () => path().length > maxShown ? path().length - maxShown + 1 : 0
  const places = () => [...path().keys()].filter((index) => index === 0 || index > left())
  const isLast = (index: number) => index === path().length - 1
  return (
    <ol class="path" aria-label="States">
      <For each={places()}>
        {(index) => (
          <>
            <Show when={index === left() + 1 && left() > 0}>
              <li class="between num">{left()} more</li>
            </Show>
            <li
              data-tip={`${exact(path()[index]?.at ?? 0)}${
                path()[index]?.note === undefined ? "" : ` · ${path()[index]?.note}`
              }`}
            >
              <StatusBadge task={shownAt(path(), index)} />
              <Show when={!(isLast(index) && isFinal(props.task.state)) && !(index === 0 && left() > 0)}>
                <span class="line num">
                  <Took from={path()[index]?.at ?? 0} to={path()[index + 1]?.at} />
                </span>
              </Show>
            </li>
          </>
        )}
      </For>
    </ol>
  )
}

export const History = (props: { readonly task: TaskDetail }) => (
  <div class="scroll" tabIndex={0} role="region" aria-label="History">
    <table class="table">
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">At</th>
          <th scope="col" class="end">For</th>
          <th scope="col">Note</th>
        </tr>
      </thead>
      <tbody>
        <For each={props.task.path}>
          {(step, index) => (
            <tr>
              <td>
                <StatusBadge task={shownAt(props.task.path, index())} />
              </td>
              <td class="num">{exact(step.at)}</td>
              <td class="end num quiet">
                {props.task.path[index() + 1] === undefined
                  ? "—"
                  : duration((props.task.path[index() + 1]?.at ?? 0) - step.at)}
              </td>
              <td class="quiet">{step.note ?? ""}</td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  </div>
)
