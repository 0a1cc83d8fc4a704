/** A button that opens a list of actions. */
import * as Kobalte from "@kobalte/core/dropdown-menu"
import { For, Show } from "solid-js"
import type { CommandId } from "../keyboard/catalog.ts"
import { keysOf } from "../keyboard/Commands.ts"
import { Keys } from "../keyboard/Keys.tsx"
import { ChevronDown, Ellipsis } from "./icons.ts"

export interface MenuItem {
  readonly label: string
  readonly run: () => void
  readonly kind?: "danger" | undefined
  readonly blocked?: string | undefined
  readonly command?: CommandId | undefined
}

export const Menu = (
  props: {
    readonly label: string
    readonly items: ReadonlyArray<MenuItem>
    /** Shows the label; without it only dots. */
    readonly text?: boolean
    readonly size?: "normal" | "small"
  }
) => (
  <Kobalte.Root placement="bottom-end" gutter={4}>
    <Kobalte.Trigger
      class="button"
      data-kind={props.text === true ? undefined : "quiet"}
      data-size={props.size}
      data-icon-only={props.text === true ? undefined : ""}
      aria-label={props.text === true ? undefined : props.label}
      data-tip={props.text === true ? undefined : props.label}
    >
      <Show when={props.text} fallback={<Ellipsis size={16} class="icon" aria-hidden="true" />}>
        {props.label}
        <ChevronDown size={14} class="icon" aria-hidden="true" />
      </Show>
    </Kobalte.Trigger>
    <Kobalte.Portal>
      <Kobalte.Content class="menu">
        <For each={props.items}>
          {(item) => (
            <Kobalte.Item
              data-kind={item.kind}
              disabled={item.blocked !== undefined}
              aria-description={item.blocked}
              onSelect={() => item.run()}
            >
              {item.label}
              <Show when={item.command}>{(command) => <Keys of={keysOf(command())} />}</Show>
            </Kobalte.Item>
          )}
        </For>
      </Kobalte.Content>
    </Kobalte.Portal>
  </Kobalte.Root>
)
