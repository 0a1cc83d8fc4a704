/** What happened, newest first: each with its time, and with a way to what it is about. */
import { A } from "@solidjs/router"
import { For, Show } from "solid-js"
import type { EventLine } from "../../domain/View.ts"
import { typePath, workerPath } from "../paths.ts"
import type { Tone } from "./status.ts"
import { Moment } from "./Times.tsx"

const tones: Readonly<Record<string, Tone>> = {
  "worker.joined": "ok",
  "worker.responsive": "ok",
  "worker.unresponsive": "bad",
  "worker.lost": "bad",
  "journal.failed": "bad",
  "journal.well": "ok",
  "paused": "warn",
  "resumed": "ok",
  "draining": "warn"
}

/** Where the target of an event is shown: `worker:wkr-1`, `task:mail.send`, `schedule:hourly`. */
export const targetPath = (
  target: string | undefined
): { readonly path: string; readonly name: string } | undefined => {
  const [, kind, name = ""] = /^(worker|task|schedule):(.*)$/su.exec(target ?? "") ?? []
  if (kind === undefined) return undefined
  const path = kind === "worker"
    ? workerPath(name)
    : kind === "task"
    ? typePath(name)
    : `/schedules?schedule=${encodeURIComponent(name)}`
  return { path, name }
}

export const Events = (props: { readonly events: ReadonlyArray<EventLine>; readonly linked?: boolean }) => (
  <ol class="log">
    <For each={props.events}>
      {(event) => {
        const target = () => props.linked === true ? targetPath(event.target) : undefined
        /** The name in the sentence is the link. */
        const parts = () => {
          const text = event.text.replace(/^(?:task|worker|schedule):/u, "")
          const name = target()?.name ?? ""
          return name !== "" && text.startsWith(name)
            ? { before: name, after: text.slice(name.length) }
            : { before: "", after: text }
        }
        return (
          <li>
            <Moment at={event.at} />
            <p>
              <i
                class="dot"
                data-tone={tones[event.type] ?? "mute"}
                data-shape={tones[event.type] === "bad" ? "diamond" : undefined}
              />
              <span>
                <Show when={target()}>
                  {(to) => <A class="link" href={to().path}>{parts().before}</A>}
                </Show>
                {target() === undefined ? `${parts().before}${parts().after}` : parts().after}
              </span>
            </p>
          </li>
        )
      }}
    </For>
  </ol>
)
