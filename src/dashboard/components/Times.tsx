/** Times that follow the clock of the control plane: an element knows its time, the whole page has one clock. */
import { useApp } from "../Context.ts"
import { ago, ahead, duration, exact, moment } from "../format.ts"

const title = (at: number) => `${new Date(at).toDateString()} ${exact(at)}`

/** 18 s ago; the exact time in the tip. */
export const Age = (props: { readonly at: number }) => {
  const { live } = useApp()
  return (
    <time dateTime={new Date(props.at).toISOString()} data-tip={title(props.at)}>{ago(live.now() - props.at)}</time>
  )
}

/** in 22 s */
export const Until = (props: { readonly at: number }) => {
  const { live } = useApp()
  return (
    <time dateTime={new Date(props.at).toISOString()} data-tip={title(props.at)}>{ahead(props.at - live.now())}</time>
  )
}

/** 14:18:22, with the day when it is not of today. */
export const Moment = (props: { readonly at: number }) => {
  const { live } = useApp()
  return (
    <time dateTime={new Date(props.at).toISOString()} data-tip={title(props.at)}>{moment(props.at, live.now())}</time>
  )
}

/** How long it took, or takes so far when it has no end. */
export const Took = (props: { readonly from: number; readonly to?: number | undefined }) => {
  const { live } = useApp()
  return (
    <>
      {duration(
        props.to === undefined ? Math.floor(Math.max(0, live.now() - props.from) / 100) * 100 : props.to - props.from
      )}
    </>
  )
}
