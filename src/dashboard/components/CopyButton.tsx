/** Copies text; over plain HTTP there is no clipboard, then a hidden field is selected and copied. */
import { createSignal, onCleanup } from "solid-js"
import { useApp } from "../Context.ts"
import { IconButton } from "./Button.tsx"
import { Check, Copy } from "./icons.ts"

export const copyText = async (text: string): Promise<boolean> => {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const field = document.createElement("textarea")
    const focused = document.activeElement
    field.value = text
    field.style.position = "fixed"
    field.style.opacity = "0" // A dialog that holds the focus takes it back from anything outside of it.
    ;(focused?.closest("[role=dialog]") ?? document.body).append(field)
    field.select()
    try {
      return document.execCommand("copy")
    } catch {
      return false
    } finally {
      field.remove()
      if (focused instanceof HTMLElement) focused.focus()
    }
  }
}

const shownMillis = 1_500

export const CopyButton = (props: { readonly text: string; readonly label: string }) => {
  const { toasts } = useApp()
  const [done, setDone] = createSignal(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  onCleanup(() => clearTimeout(timer))
  const copy = async () => {
    if (!await copyText(props.text)) return toasts.add({ text: "The browser does not allow copying here." })
    setDone(true)
    clearTimeout(timer)
    timer = setTimeout(() => setDone(false), shownMillis)
  }
  return (
    <IconButton
      size="small"
      icon={done() ? Check : Copy}
      label={done() ? "Copied" : props.label}
      onClick={() => void copy()}
    />
  )
}
