/**
 * Buttons. One that can't be used keeps the focus and says why (`blocked`), instead of `disabled`, which says nothing.
 * `command` shows its key in the tip; the key itself is bound with `useCommand`.
 */
import { type Component, type JSX, Show, splitProps } from "solid-js"
import { Dynamic } from "solid-js/web"
import type { CommandId } from "../keyboard/catalog.ts"
import { keysOf } from "../keyboard/Commands.ts"

export type IconOf = Component<{ readonly size?: number; readonly class?: string; readonly "aria-hidden"?: "true" }>

interface Common extends Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, "disabled" | "onClick" | "type"> {
  readonly kind?: "plain" | "primary" | "quiet" | "danger"
  readonly size?: "normal" | "small"
  readonly onClick: (event: MouseEvent) => void
  /** Why it can't be used now. */
  readonly blocked?: string | undefined
  readonly busy?: boolean
  readonly command?: CommandId
  /** What the tip says. */
  readonly tip?: string
}

export interface ButtonProps extends Common {
  readonly icon?: IconOf
}

const local = ["kind", "size", "onClick", "blocked", "busy", "command", "tip", "children"] as const

const Bare = (props: Common & { readonly iconOnly?: boolean }) => {
  const [own, rest] = splitProps(props, [...local, "iconOnly"])
  return (
    <button
      type="button"
      class="button"
      data-kind={own.kind}
      data-size={own.size}
      data-icon-only={own.iconOnly === true ? "" : undefined}
      aria-disabled={own.blocked !== undefined || own.busy === true ? "true" : undefined}
      aria-busy={own.busy === true ? "true" : undefined}
      aria-description={own.blocked}
      data-tip={own.blocked ?? own.tip}
      data-keys={own.command === undefined || own.blocked !== undefined ? undefined : keysOf(own.command)}
      onClick={(event) => {
        if (own.blocked === undefined && own.busy !== true) own.onClick(event)
      }}
      {...rest}
    >
      {own.children}
    </button>
  )
}

const Drawn = (props: { readonly icon: IconOf; readonly size?: number }) => (
  <Dynamic component={props.icon} size={props.size ?? 14} class="icon" aria-hidden="true" />
)

export const Button = (props: ButtonProps) => {
  const [own, rest] = splitProps(props, ["icon", "children"])
  return (
    <Bare {...rest}>
      <Show when={own.icon}>{(icon) => <Drawn icon={icon()} />}</Show>
      {own.children}
    </Bare>
  )
}

/** A button with an icon alone: its label is read out and shown as the tip. */
export const IconButton = (
  props: Omit<ButtonProps, "children"> & { readonly icon: IconOf; readonly label: string }
) => {
  const [own, rest] = splitProps(props, ["icon", "label"])
  return (
    <Bare kind="quiet" tip={own.label} aria-label={own.label} {...rest} iconOnly>
      <Drawn icon={own.icon} size={16} />
    </Bare>
  )
}
