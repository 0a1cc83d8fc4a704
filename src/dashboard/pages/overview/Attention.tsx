/** What failed, the same errors together, with the way to run them again. */
import { A } from "@solidjs/router"
import { createEffect, For, on, Show } from "solid-js"
import type { ErrorGroup, Range } from "../../../domain/View.ts"
import { createQuery } from "../../api/createQuery.ts"
import { rangeWords } from "../../charts/series.ts"
import { GroupTags, RetryGroup } from "../../components/ErrorGroups.tsx"
import { EmptyState, ErrorPanel, Skeleton } from "../../components/Feedback.tsx"
import { ChevronRight } from "../../components/icons.ts"
import { Sparkline } from "../../components/Sparkline.tsx"
import { Age } from "../../components/Times.tsx"
import { useApp } from "../../Context.ts"
import { count, plural } from "../../format.ts"
import { errorPath, typePath } from "../../paths.ts"

const maxGroups = 5
const reloadMillis = 5_000

export const Attention = (props: { readonly range: Range }) => {
  const { api, live } = useApp()
  const errors = createQuery(() => props.range, (range, signal) => api.errors({ range }, signal), {
    every: reloadMillis
  })
  // Another group is news: it does not wait.
  createEffect(on(() => live.data.errors, errors.reload, { defer: true }))
  const groups = () => errors.data()?.groups ?? []
  const failures = () => groups().reduce((sum, group) => sum + group.count, 0)

  return (
    <section class="block" aria-labelledby="attention">
      <header>
        <h2 id="attention">Needs attention</h2>
        <Show when={groups().length > 0}>
          <span class="quiet num">
            {plural(failures(), "failure")} in {plural(groups().length, "group")}
          </span>
        </Show>
        <A class="more" href="/errors">
          All errors<ChevronRight size={14} class="icon" aria-hidden="true" />
        </A>
      </header>
      <Show when={errors.problem()}>
        {(problem) => <ErrorPanel title="The errors can't be shown" problem={problem()} retry={errors.reload} />}
      </Show>
      <Show
        when={errors.data()}
        fallback={
          <Show when={errors.loading()}>
            <Skeleton rows={4} height={52} />
          </Show>
        }
      >
        <Show
          when={groups().length > 0}
          fallback={<EmptyState small title={`Nothing failed in the last ${rangeWords[props.range]}`} />}
        >
          <table class="table errors" data-stale={errors.stale() ? "" : undefined}>
            <thead>
              <tr>
                <th scope="col">Error</th>
                <th scope="col">Task type</th>
                <th scope="col">{rangeWords[props.range]}</th>
                <th scope="col" class="end">Count</th>
                <th scope="col" class="end">Last seen</th>
                <th scope="col">
                  <span class="reader">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              <For each={groups().slice(0, maxGroups)}>{(group) => <Group group={group} reload={errors.reload} />}</For>
            </tbody>
          </table>
        </Show>
      </Show>
    </section>
  )
}

const Group = (props: { readonly group: ErrorGroup; readonly reload: () => void }) => (
  <tr>
    <td>
      <span class="error-name">
        <A class="clip" href={errorPath(props.group.key)}>{props.group.type}</A>
        <GroupTags group={props.group} />
      </span>
      <span class="quiet clip error-text" data-tip={props.group.message}>{props.group.message}</span>
    </td>
    <td class="mono clip">
      <A href={typePath(props.group.name)}>{props.group.name}</A>
    </td>
    <td>
      <Sparkline values={props.group.series} width={64} tone="bad" />
    </td>
    <td class="end num">
      <b>{count(props.group.count)}</b>
    </td>
    <td class="end num quiet">
      <Age at={props.group.lastAt} />
    </td>
    <td class="end">
      <RetryGroup group={props.group} reload={props.reload} />
    </td>
  </tr>
)
