/**
 * A button that opens a list of actions: a popover of the browser, which lies above everything and closes by itself when
 * something else is pressed. Arrow keys and first letters move in it, Esc gives the focus back.
 */
import { createEffect, createSignal, createUniqueId, For, Show } from "solid-js"
import type { CommandId } from "../keyboard/catalog.ts"
import { keysOf } from "../keyboard/Commands.ts"
import { Keys } from "../keyboard/Keys.tsx"
import { Check, ChevronDown, Ellipsis } from "./icons.ts"

export interface MenuItem {
  readonly label: string
  readonly run: () => void
  readonly kind?: "danger" | undefined
  readonly blocked?: string | undefined
  readonly command?: CommandId | undefined
  /** It is a choice: one of many that are on or off, for which the menu stays open, or with `only` the one that is on. */
  readonly checked?: boolean
  readonly only?: boolean
}

const margin = 8
const gap = 4

/** Below the button and as far right as it, above it when there is no room. */
const placeAt = (menu: HTMLElement, trigger: DOMRect) => {
  const { height, width } = menu.getBoundingClientRect()
  const isBelow = trigger.bottom + gap + height + margin <= innerHeight || trigger.top < innerHeight / 2
  const top = isBelow ? trigger.bottom + gap : trigger.top - gap - height
  menu.style.top = `${Math.max(margin, top)}px`
  menu.style.left = `${Math.max(margin, Math.min(trigger.right, innerWidth - margin) - width)}px`
}

export const Menu = (
  props: {
    readonly label: string
    readonly items: ReadonlyArray<MenuItem>
    /** Shows the label; without it only dots. */
    readonly text?: boolean
    readonly size?: "normal" | "small"
  }
) => {
  const id = createUniqueId()
  const [open, setOpen] = createSignal(false)
  let trigger: HTMLButtonElement | undefined
  let menu: HTMLDivElement | undefined

  const items = () => [...menu?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? []]
  const focusAt = (place: number) => {
    const all = items()
    all.at(all.length === 0 ? 0 : place % all.length)?.focus()
  }
  const close = () => {
    menu?.hidePopover()
    trigger?.focus()
  }
  const onKey = (event: KeyboardEvent) => {
    const all = items()
    const at = all.indexOf(document.activeElement as HTMLElement)
    if (event.key === "ArrowDown") focusAt(at + 1)
    else if (event.key === "ArrowUp") focusAt(at - 1)
    else if (event.key === "Home") focusAt(0)
    else if (event.key === "End") focusAt(-1)
    else if (event.key === "Escape" || event.key === "Tab") close()
    else if (event.key === "Enter" || event.key === " ") all[at]?.click()
    else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) {
      const turned = [...all.slice(at + 1), ...all.slice(0, at + 1)]
      turned.find((item) => item.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()))
        ?.focus()
    } else return
    // Tab goes on from the button.
    if (event.key !== "Tab") event.preventDefault()
    event.stopPropagation()
  }
  createEffect(() => {
    if (!open() || menu === undefined || trigger === undefined) return
    placeAt(menu, trigger.getBoundingClientRect())
    focusAt(0)
  })
  const choose = (item: MenuItem) => {
    if (item.blocked !== undefined) return
    if (item.checked === undefined || item.only === true) close()
    item.run()
  }
  return (
    <>
      <button
        ref={trigger}
        type="button"
        class="button"
        data-kind={props.text === true ? undefined : "quiet"}
        data-size={props.size}
        data-icon-only={props.text === true ? undefined : ""}
        aria-label={props.text === true ? undefined : props.label}
        aria-haspopup="menu"
        aria-expanded={open()}
        aria-controls={open() ? id : undefined}
        data-tip={props.text === true ? undefined : props.label}
        popovertarget={id}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown" || open()) return
          event.preventDefault()
          menu?.showPopover()
        }}
      >
        <Show when={props.text} fallback={<Ellipsis size={16} class="icon" aria-hidden="true" />}>
          {props.label}
          <ChevronDown size={14} class="icon" aria-hidden="true" />
        </Show>
      </button>
      <div
        ref={menu}
        id={id}
        popover="auto"
        class="menu"
        role="menu"
        aria-label={props.label}
        on:toggle={(event: Event) => setOpen((event as ToggleEvent).newState === "open")}
        onKeyDown={onKey}
      >
        <Show when={open()}>
          <For each={props.items}>
            {(item) => (
              <div
                role={item.checked === undefined
                  ? "menuitem"
                  : item.only === true
                  ? "menuitemradio"
                  : "menuitemcheckbox"}
                tabIndex={-1}
                data-kind={item.kind}
                data-disabled={item.blocked === undefined ? undefined : ""}
                aria-disabled={item.blocked === undefined ? undefined : "true"}
                aria-description={item.blocked}
                aria-checked={item.checked}
                onPointerMove={(event) => event.currentTarget.focus({ preventScroll: true })}
                onClick={() => choose(item)}
              >
                {item.label}
                <Show when={item.command}>{(command) => <Keys of={keysOf(command())} />}</Show>
                <Show when={item.checked !== undefined}>
                  <span class="check-mark" aria-hidden="true">
                    <Show when={item.checked}>
                      <Check size={14} class="icon" />
                    </Show>
                  </span>
                </Show>
              </div>
            )}
          </For>
        </Show>
      </div>
    </>
  )
}
