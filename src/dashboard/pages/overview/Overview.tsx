/** The page a team keeps open: how it goes in one sentence, the way of the tasks, what failed, what comes next. */
import { useSearchParams } from "@solidjs/router"
import { Show } from "solid-js"
import type { Range } from "../../../domain/View.ts"
import { rangeLabels } from "../../charts/series.ts"
import { Button } from "../../components/Button.tsx"
import { SegmentedControl } from "../../components/Choice.tsx"
import { Skeleton } from "../../components/Feedback.tsx"
import { Pause, Play, Plus } from "../../components/icons.ts"
import { Page } from "../../components/Page.tsx"
import { useApp } from "../../Context.ts"
import { dispatchPause, isPaused } from "../../shell/dispatch.ts"
import { Attention } from "./Attention.tsx"
import { Charts } from "./Charts.tsx"
import { createSeries } from "./createSeries.ts"
import { Flow } from "./Flow.tsx"
import { Latest } from "./Latest.tsx"
import { Sentence } from "./Sentence.tsx"
import { UpNext } from "./UpNext.tsx"
import "./overview.css"

const ranges = Object.entries(rangeLabels).map(([value, label]) => ({ value: value as Range, label }))
const isRange = (value: unknown): value is Range => typeof value === "string" && value in rangeLabels

export default function Overview() {
  const app = useApp()
  const { dialogs, live } = app
  const [search, setSearch] = useSearchParams()
  const range = (): Range => isRange(search["range"]) ? search["range"] : "15m"
  const series = createSeries(range)

  const controls = (
    <>
      <SegmentedControl
        label="Time range"
        value={range()}
        options={ranges}
        onChange={(value) => setSearch({ range: value === "15m" ? undefined : value }, { replace: true })}
      />
      <Button
        icon={isPaused(app) ? Play : Pause}
        command="dispatch.pause"
        blocked={live.blocked()}
        onClick={() => void dispatchPause(app)}
      >
        {isPaused(app) ? "Resume dispatch" : "Pause dispatch"}
      </Button>
      <Button kind="primary" icon={Plus} command="task.run" blocked={live.blocked()} onClick={() => dialogs.run()}>
        Run a task
      </Button>
    </>
  )
  return (
    <Page title="Overview" controls={controls}>
      <Show when={live.ready()} fallback={<Skeleton rows={9} height={60} />}>
        <Sentence />
        <Flow series={series.data()} range={range()} />
        <Charts series={series} range={range()} />
        <div class="split">
          <Attention range={range()} />
          <UpNext />
        </div>
        <Latest />
      </Show>
    </Page>
  )
}
