/**
 * The one tooltip: shows `data-tip`, and the keys in `data-keys`, of what the pointer or the focus is on. One for the
 * page costs nothing per row. It can be pointed at, and Esc hides it. It repeats what readers get from labels.
 */
import { createSignal, onCleanup, onMount, Show } from "solid-js"
import { Keys } from "../keyboard/Keys.tsx"

const showMillis = 400
const hideMillis = 120
const margin = 8

interface Shown {
  readonly text: string
  readonly keys: string | undefined
  readonly rect: DOMRect
}

export const Tips = () => {
  const [shown, setShown] = createSignal<Shown>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let element: HTMLDivElement | undefined

  const place = (rect: DOMRect) => {
    if (element === undefined) return
    const { height, width } = element.getBoundingClientRect()
    const top = rect.bottom + 6 + height > innerHeight ? rect.top - 6 - height : rect.bottom + 6
    const left = Math.min(Math.max(margin, rect.left + rect.width / 2 - width / 2), innerWidth - width - margin)
    element.style.top = `${Math.max(margin, top)}px`
    element.style.left = `${left}px`
  }
  const hide = (millis: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => setShown(undefined), millis)
  }
  const onEnter = (event: Event) => {
    if (!(event.target instanceof Element)) return
    if (element?.contains(event.target) === true) return clearTimeout(timer)
    const target = event.target.closest<HTMLElement>("[data-tip]")
    if (target === null) return hide(hideMillis)
    const { keys, tip } = target.dataset
    if (tip === undefined || event.type === "focusin" && !target.matches(":focus-visible")) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      if (!target.isConnected) return
      const rect = target.getBoundingClientRect()
      setShown({ text: tip, keys, rect })
      place(rect)
    }, shown() === undefined ? showMillis : 0)
  }
  const onKey = (event: KeyboardEvent) => {
    if (shown() !== undefined && event.key === "Escape") hide(0)
  }
  onMount(() => {
    const gone = () => hide(0)
    document.addEventListener("pointerover", onEnter)
    document.addEventListener("focusin", onEnter)
    document.addEventListener("focusout", gone)
    document.addEventListener("pointerdown", gone)
    document.addEventListener("keydown", onKey)
    document.addEventListener("scroll", gone, { capture: true, passive: true })
    onCleanup(() => {
      clearTimeout(timer)
      document.removeEventListener("pointerover", onEnter)
      document.removeEventListener("focusin", onEnter)
      document.removeEventListener("focusout", gone)
      document.removeEventListener("pointerdown", gone)
      document.removeEventListener("keydown", onKey)
      document.removeEventListener("scroll", gone, { capture: true })
    })
  })
  return (
    <Show when={shown()}>
      {(tip) => (
        <div ref={element} class="tip" role="tooltip" style={{ position: "fixed" }}>
          {tip().text}
          <Show when={tip().keys}>{(keys) => <Keys of={keys()} />}</Show>
        </div>
      )}
    </Show>
  )
}
