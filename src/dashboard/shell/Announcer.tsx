/** Tells readers what changed, in words: states only, never numbers, and at most once in 10 seconds. */
import { createEffect, createSignal, on, onCleanup } from "solid-js"
import { useApp } from "../Context.ts"

const pauseMillis = 10_000

export const Announcer = () => {
  const { live } = useApp()
  const [said, setSaid] = createSignal("")
  let waiting: string | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const speak = () => {
    timer = undefined
    if (waiting === undefined) return
    setSaid(waiting)
    waiting = undefined
    timer = setTimeout(speak, pauseMillis)
  }
  const say = (text: string) => {
    waiting = text
    if (timer === undefined) speak()
  }
  onCleanup(() => clearTimeout(timer))

  createEffect(on(() => live.ready() ? live.data.headline.kind : undefined, () => say(live.data.headline.title), {
    defer: true
  }))
  createEffect(on(live.status, (status, before) => {
    if (status === "live" && before !== "connecting") say("Connected again.")
    else if (before === "live") say("The connection to the control plane is lost. Trying again.")
  }, { defer: true }))
  return <div class="reader" role="status">{said()}</div>
}
