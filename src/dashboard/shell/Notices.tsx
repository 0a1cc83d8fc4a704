/** Bars above the page: no connection, frozen. */
import { createSignal, onCleanup, Show } from "solid-js"
import { Button } from "../components/Button.tsx"
import { useApp } from "../Context.ts"
import { clock, duration } from "../format.ts"

export const Notices = () => {
  const { live } = useApp()
  const [now, setNow] = createSignal(Date.now())
  const timer = setInterval(() => setNow(Date.now()), 1_000)
  onCleanup(() => clearInterval(timer))
  const next = () => {
    const { retryAt } = live.connection()
    const millis = (retryAt ?? 0) - now()
    return millis < 500
      ? "Trying again now."
      : `Trying again in ${duration(Math.ceil(millis / 1_000) * 1_000).replace(".0", "")}.`
  }
  return (
    <>
      <Show when={live.status() === "disconnected"}>
        <div class="notice" data-tone="bad">
          <span>
            No connection to the control plane since {clock(live.connection().since)}. {next()}
          </span>
          <Button size="small" onClick={live.retry}>Try now</Button>
        </div>
      </Show>
      <Show when={live.frozen()}>
        <div class="notice" data-tone="run">
          <span>The view is frozen at {clock(live.now())}. The control plane goes on.</span>
          <Button size="small" command="live.freeze" onClick={() => live.freeze(false)}>Go on</Button>
        </div>
      </Show>
    </>
  )
}
