/** Arguments, result or error as they were sent; of what is long only the beginning until somebody wants all of it. */
import { createEffect, createSignal, For, on, Show } from "solid-js"
import type { Payload } from "../../../../domain/View.ts"
import { path } from "../../../api/Client.ts"
import type { PayloadPart } from "../../../api/Endpoints.ts"
import { Button } from "../../../components/Button.tsx"
import { Download } from "../../../components/icons.ts"
import { JsonView } from "../../../components/JsonView.tsx"
import { useApp } from "../../../Context.ts"
import { bytes } from "../../../format.ts"
import { blocksOf } from "./blocks.ts"

/** Longer text is not coloured, and drawn in blocks of which the browser lays out those in sight. */
const maxColoured = 400_000

export const PayloadView = (
  props: {
    readonly id: string
    readonly part: PayloadPart
    readonly payload: Payload | undefined
    readonly label: string
    /** Why there is none. */
    readonly missing: string
  }
) => {
  const { api, toasts } = useApp()
  const [whole, setWhole] = createSignal<string>()
  const [loading, setLoading] = createSignal(false)
  createEffect(on(() => `${props.id} ${props.payload?.size}`, () => setWhole(undefined), { defer: true }))

  const load = async () => {
    setLoading(true)
    const result = await api.tasks.payload(props.id, props.part)
    setLoading(false)
    if (result.ok) setWhole(result.value)
    else toasts.fail("It can't be loaded.", result.problem)
  }
  const address = () => api.client.url(path`/tasks/${props.id}/${props.part}`)
  return (
    <Show when={props.payload} fallback={<p class="quiet none">{props.missing}</p>}>
      {(payload) => (
        <>
          <Show when={payload().truncated}>
            <div class="cut">
              <span class="quiet num">
                {whole() === undefined
                  ? `The first ${bytes(payload().text.length)} of ${bytes(payload().size)}`
                  : `All ${bytes(payload().size)}`}
              </span>
              <Show when={whole() === undefined}>
                <Button size="small" busy={loading()} onClick={() => void load()}>
                  {loading() ? "Loading…" : `Load all (${bytes(payload().size)})`}
                </Button>
              </Show>
              <a
                class="button"
                data-size="small"
                href={address()}
                download={`${props.id}-${props.part}.json`}
                target="_self"
              >
                <Download size={14} class="icon" aria-hidden="true" />
                Download
              </a>
            </div>
          </Show>
          <Show
            when={(whole() ?? payload().text).length <= maxColoured}
            fallback={
              <pre class="plain" tabIndex={0} role="region" aria-label={props.label}>
                <For each={blocksOf(whole() ?? "")}>{(block) => <span class="text-block">{block}</span>}</For>
              </pre>
            }
          >
            <JsonView text={whole() ?? payload().text} label={props.label} maxHeight="none" />
          </Show>
        </>
      )}
    </Show>
  )
}
