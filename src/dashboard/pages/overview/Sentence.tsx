/** How it goes, in words, and why. */
import { A } from "@solidjs/router"
import { For, Show } from "solid-js"
import { useApp } from "../../Context.ts"
import { clock, count, duration, percent } from "../../format.ts"

const tones = { good: "ok", idle: "mute", warn: "warn", bad: "bad" } as const

export const Sentence = () => {
  const { live } = useApp()
  const flow = () => live.data.flow
  const lost = () => live.status() === "disconnected"
  return (
    <section class="sentence" aria-label="In words">
      <p>
        <Show
          when={!lost()}
          fallback={<strong data-tone="bad">No connection to the control plane.</strong>}
        >
          <strong data-tone={tones[live.data.headline.tone]}>{live.data.headline.title}</strong>
        </Show>{" "}
        <Show when={flow().perMinute > 0}>
          <b>{count(flow().perMinute)}</b> {Math.round(flow().perMinute) === 1 ? "task" : "tasks"} a minute,{" "}
          <b>{percent(flow().failing)}</b> failing.{" "}
        </Show>
        <Show when={flow().run}>
          {(run) => (
            <>
              95{"\u00a0"}%{" "}
              <Show when={flow().wait}>
                {(wait) => (
                  <>
                    wait under <b>{duration(wait().p95)}</b> and{" "}
                  </>
                )}
              </Show>
              run under <b>{duration(run().p95)}</b>.
            </>
          )}
        </Show>
      </p>
      <p class="cause">
        <Show
          when={!lost()}
          fallback={`This is how it was at ${clock(live.data.at)}. Tasks and workers go on without the dashboard.`}
        >
          <For each={live.data.headline.cause}>
            {(part) => (
              <>
                <Show when={part.to} fallback={part.text}>{(to) => <Cause text={part.text} to={to()} />}</Show>
                {" "}
              </>
            )}
          </For>
        </Show>
      </p>
    </section>
  )
}

/** The worker that a sentence begins with is the link; other sentences get one behind them. */
const Cause = (props: { readonly text: string; readonly to: string }) => {
  const first = () => props.text.split(" ", 1)[0] ?? ""
  const section = () => props.to.split(/[/?]/u)[1] ?? ""
  return (
    <Show
      when={props.to.startsWith("/workers/")}
      fallback={
        <>
          {props.text} <A class="link" href={props.to}>Show {section()}</A>
        </>
      }
    >
      <A class="link" href={props.to}>{first()}</A>
      {props.text.slice(first().length)}
    </Show>
  )
}
