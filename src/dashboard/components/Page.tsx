/** The white sheet with its title: the frame of every page. */
import { createEffect, type JSX } from "solid-js"
import { useApp } from "../Context.ts"

export const Page = (
  props: {
    readonly title: string
    /** What stands in the title bar, before the controls: a link back for example. */
    readonly before?: JSX.Element
    /** Right behind the title: a state. */
    readonly mark?: JSX.Element
    /** At the right end. */
    readonly controls?: JSX.Element
    readonly children: JSX.Element
  }
) => {
  const { live } = useApp()
  createEffect(() => {
    const { namespace } = live.data.stats
    document.title = `${props.title} · ${namespace === "" ? "FastWorker" : `${namespace} · FastWorker`}`
  })
  return (
    <div class="sheet">
      <header class="top">
        {props.before}
        <h1 class="clip">{props.title}</h1>
        <span class="mark">{props.mark}</span>
        {props.controls}
      </header>
      <div data-stale={live.status() === "disconnected" ? "" : undefined}>{props.children}</div>
    </div>
  )
}
