/** Everything about one schedule: what it submits, when, and what became of it. */
import { A } from "@solidjs/router"
import { createRenderEffect, For, Show } from "solid-js"
import type { ScheduleRow } from "../../../domain/View.ts"
import { Button } from "../../components/Button.tsx"
import { Drawer } from "../../components/Dialog.tsx"
import { type Fact, Facts } from "../../components/Facts.tsx"
import { EmptyState } from "../../components/Feedback.tsx"
import { Pause, Play, RotateCw, Trash } from "../../components/icons.ts"
import { JsonView } from "../../components/JsonView.tsx"
import { PriorityGlyph, StatusBadge } from "../../components/StatusBadge.tsx"
import { Moment, Until } from "../../components/Times.tsx"
import { useApp } from "../../Context.ts"
import { count, duration, shortId } from "../../format.ts"
import { taskPath, tasksPath, typePath } from "../../paths.ts"
import type { ScheduleActions } from "./actions.ts"
import { catchUpWords, dueTimes, overlapWords } from "./words.ts"

export const ScheduleDrawer = (
  props: { readonly schedule: ScheduleRow; readonly actions: ScheduleActions; readonly onClose: () => void }
) => {
  const { live } = useApp()
  const it = () => props.schedule
  /** When the drawer closes there is no schedule any more. */
  let id = ""
  createRenderEffect(() => (id = it().id))
  const isPaused = () => props.actions.isPaused(it())
  const cron = () => {
    const { kind } = it()
    return "cron" in kind ? `${kind.cron} (${kind.timeZone ?? "UTC"})` : undefined
  }
  const facts = (): ReadonlyArray<Fact> => [
    { name: "Submits", value: <A class="link mono" href={typePath(it().name)}>{it().name}</A> },
    { name: "When", value: it().words },
    ...cron() === undefined ? [] : [{ name: "Cron", value: <span class="mono">{cron()}</span> }],
    { name: "Overlap", value: overlapWords[it().overlap] },
    { name: "Missed times", value: catchUpWords[it().catchUp] },
    {
      name: "Left out",
      value: it().skipped === 0 ? "None" : `${count(it().skipped)} due times, at which nothing was submitted`,
      tip: "The task before still ran, or it was refused"
    },
    {
      name: "Priority",
      value: (
        <Show when={it().priority} fallback="As the type says">{(level) => <PriorityGlyph priority={level()} />}</Show>
      )
    },
    ...it().expiresIn === undefined ? [] : [{ name: "Expires after", value: duration(it().expiresIn ?? 0) }],
    ...it().tags === undefined ? [] : [{ name: "Tags", value: it().tags?.join(", ") }],
    ...it().tenant === undefined ? [] : [{ name: "Tenant", value: it().tenant }],
    ...it().limitKey === undefined ? [] : [{ name: "Limit key", value: it().limitKey }],
    ...it().fairKey === undefined ? [] : [{ name: "Fair key", value: it().fairKey }],
    ...it().version === undefined ? [] : [{ name: "Version", value: `${it().version}` }]
  ]
  return (
    <Drawer
      label={`Schedule ${it().id}`}
      onClose={props.onClose}
      returnTo={() => document.querySelector<HTMLElement>(`[data-row="${CSS.escape(id)}"]`)}
      head={
        <>
          <h2 class="clip drawer-title">{it().id}</h2>
          <Show when={isPaused()}>
            <span class="tag" data-tone="warn">Paused</span>
          </Show>
          <span class="push" />
        </>
      }
    >
      <div class="drawer-part drawer-actions">
        <Button icon={RotateCw} blocked={live.blocked()} onClick={() => void props.actions.run(it())}>Run now</Button>
        <Button
          icon={isPaused() ? Play : Pause}
          blocked={live.blocked()}
          onClick={() => void (isPaused() ? props.actions.resume(it()) : props.actions.pause(it()))}
        >
          {isPaused() ? "Resume" : "Pause"}
        </Button>
        <Button
          kind="danger"
          icon={Trash}
          blocked={live.blocked()}
          onClick={() => void props.actions.remove(it()).then((isRemoved) => isRemoved && props.onClose())}
        >
          Remove…
        </Button>
      </div>
      <section class="drawer-part" aria-label="Declaration">
        <Facts facts={facts()} />
      </section>
      <section class="drawer-part" aria-labelledby="schedule-args">
        <h3 id="schedule-args">Arguments</h3>
        <JsonView text={it().args} label="the arguments" maxHeight="240px" />
      </section>
      <section class="drawer-part" aria-labelledby="schedule-next">
        <h3 id="schedule-next">Upcoming</h3>
        <Show
          when={it().upcoming.length > 0}
          fallback={<p class="quiet">It will never be due again.</p>}
        >
          <ul class="upcoming">
            <For each={dueTimes(it().upcoming)}>
              {(at) => (
                <li class="num">
                  <Moment at={at} />
                  <span class="quiet">{isPaused() ? "not while it is paused" : <Until at={at} />}</span>
                </li>
              )}
            </For>
          </ul>
        </Show>
      </section>
      <section class="drawer-part" aria-labelledby="schedule-runs">
        <header class="drawer-head">
          <h3 id="schedule-runs">Last tasks</h3>
          <A class="link" href={tasksPath({ schedule: it().id })}>All of them</A>
        </header>
        <Show
          when={it().runs.length > 0}
          fallback={<EmptyState small title="It has submitted nothing yet" />}
        >
          <ul class="runs">
            <For each={it().runs.toReversed()}>
              {(run) => (
                <li>
                  <StatusBadge task={run} />
                  <A class="mono clip" href={taskPath(run.id)} data-tip={run.id}>{shortId(run.id)}</A>
                  <span class="num quiet end">
                    <Moment at={run.at} />
                  </span>
                  <span class="num end">{run.millis === undefined ? "—" : duration(run.millis)}</span>
                </li>
              )}
            </For>
          </ul>
        </Show>
      </section>
    </Drawer>
  )
}
