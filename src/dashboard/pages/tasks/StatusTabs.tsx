/** The states as tabs with how many there are; links, so that each can be opened beside the other. */
import { useHref, useNavigate } from "@solidjs/router"
import { createEffect, For, Show } from "solid-js"
import type { TaskCounts } from "../../api/Endpoints.ts"
import { compact } from "../../format.ts"
import type { CommandId } from "../../keyboard/catalog.ts"
import { keysOf, useCommand } from "../../keyboard/Commands.ts"

interface Tab {
  readonly state: string | undefined
  readonly label: string
  readonly count: (states: TaskCounts["states"]) => number
  readonly command?: CommandId
  /** Only when there are some. */
  readonly rare?: boolean
}

const tabs: ReadonlyArray<Tab> = [
  {
    state: undefined,
    label: "All",
    // Those that are tried again are delayed ones.
    count: (states) => Object.values(states).reduce((sum, count) => sum + count, 0) - states.retrying,
    command: "tab.1"
  },
  { state: "waiting", label: "Waiting", count: ({ delayed, queued }) => delayed + queued, command: "tab.2" },
  { state: "running", label: "Running", count: ({ running }) => running, command: "tab.3" },
  { state: "failed", label: "Failed", count: ({ failed }) => failed, command: "tab.4" },
  { state: "retrying", label: "Retrying", count: ({ retrying }) => retrying, command: "tab.5" },
  { state: "succeeded", label: "Succeeded", count: ({ succeeded }) => succeeded, command: "tab.6" },
  { state: "cancelled", label: "Cancelled", count: ({ cancelled }) => cancelled },
  { state: "cancelling", label: "Stopping", count: ({ cancelling }) => cancelling, rare: true },
  { state: "expired", label: "Expired", count: ({ expired }) => expired, rare: true }
]

export const StatusTabs = (
  props: {
    readonly state: string | undefined
    readonly counts: TaskCounts | undefined
    /** The address of the list with another state. */
    readonly address: (state: string | undefined) => string
  }
) => {
  const navigate = useNavigate()
  for (const { command, state } of tabs) {
    if (command !== undefined) useCommand(command, () => navigate(props.address(state), { scroll: false }))
  }
  const countOf = (tab: Tab) => props.counts === undefined ? undefined : tab.count(props.counts.states)
  return (
    <nav class="tabs states" aria-label="States">
      <For each={tabs}>
        {(tab) => {
          // Not <A>: for the router all of these are the current page.
          const href = useHref(() => props.address(tab.state))
          return (
            <Show when={tab.rare !== true || props.state === tab.state || (countOf(tab) ?? 0) > 0}>
              <a
                ref={(element) =>
                  createEffect(() => {
                    // On a phone not all of them are in sight.
                    if (props.state === tab.state) element.scrollIntoView({ block: "nearest", inline: "nearest" })
                  })}
                href={href()}
                {...{ noscroll: true }}
                aria-current={props.state === tab.state ? "true" : undefined}
                data-keys={tab.command === undefined ? undefined : keysOf(tab.command)}
                data-tip={tab.command === undefined ? undefined : `Show ${tab.label.toLowerCase()}`}
              >
                {tab.label}
                <small>{countOf(tab) === undefined ? "\u2007" : compact(countOf(tab) ?? 0)}</small>
              </a>
            </Show>
          )
        }}
      </For>
    </nav>
  )
}
