/** What the handler said last of how far it is: a bar when that can be read out of it, and what it said in any case. */
import { Show } from "solid-js"
import type { Payload } from "../../../../domain/View.ts"
import { percent } from "../../../format.ts"
import { shareOf } from "./share.ts"

const maxText = 160

export const ProgressBar = (props: { readonly progress: Payload }) => {
  const share = () => shareOf(props.progress)
  const text = () =>
    props.progress.text.length > maxText ? `${props.progress.text.slice(0, maxText)}…` : props.progress.text
  return (
    <section class="progress" aria-label="Progress">
      <h2>Progress</h2>
      <Show when={share() !== undefined}>
        <progress max={1} value={share()} aria-label="Progress" />
        <b class="num">{percent(share() ?? 0)}</b>
      </Show>
      <span class="mono quiet clip" data-tip={text()}>{text()}</span>
    </section>
  )
}
