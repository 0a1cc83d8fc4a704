/** The way of the tasks: waiting in lanes, running in slots, finished. */
import type { Range, Series } from "../../../domain/View.ts"
import { ArrowRight } from "../../components/icons.ts"
import { useApp } from "../../Context.ts"
import { rate } from "../../format.ts"
import { Finished } from "./Finished.tsx"
import { Running } from "./Running.tsx"
import { WaitingLanes } from "./WaitingLanes.tsx"

const Gutter = (props: { readonly perSecond: number; readonly what: string }) => (
  <p class="gutter">
    <span>
      <ArrowRight size={14} class="icon" aria-hidden="true" />
      <b class="num">{rate(props.perSecond)}</b>
      <span class="reader">{props.what}</span> per s
    </span>
  </p>
)

export const Flow = (props: { readonly series: Series | undefined; readonly range: Range }) => {
  const { live } = useApp()
  return (
    <div class="flow">
      <WaitingLanes />
      <Gutter perSecond={live.data.flow.starting} what="started" />
      <Running />
      <Gutter perSecond={live.data.flow.finishing} what="finished" />
      <Finished series={props.series} range={props.range} />
    </div>
  )
}
