/**
 * A chart over time. The canvas is mute, so the figure has a sentence for a label and a table for readers; the drawing
 * itself is loaded when it is needed.
 */
import { ErrorBoundary, For, Index, lazy, Suspense } from "solid-js"
import { clock } from "../format.ts"

export interface Line {
  readonly label: string
  readonly values: ReadonlyArray<number | null>
  /** Name of a token: "--accent". */
  readonly color: string
  /** `down` draws bars below zero on a scale of their own: told apart by place, not by hue. Default: a line. */
  readonly kind?: "line" | "area" | "down"
  readonly dotted?: boolean
  /** What stands at the end of the line. */
  readonly end?: string
}

export interface ChartProps {
  /** The sentence for readers. */
  readonly label: string
  readonly from: number
  readonly stepMillis: number
  readonly lines: ReadonlyArray<Line>
  readonly format: (value: number) => string
  readonly height?: number
  /** Largest value that the scale always has room for. */
  readonly atLeast?: number
  /** What it says instead when all values are none or zero. Default: they are drawn. */
  readonly none?: string
  /** The span of time that was dragged over. */
  readonly onRange?: (from: number, until: number) => void
}

const Plot = lazy(() => import("../charts/Plot.tsx"))

/** Rows of the table: nobody listens to a thousand. */
const maxRows = 20

export const Chart = (props: ChartProps) => {
  const length = () => props.lines[0]?.values.length ?? 0
  const rows = () => {
    const step = Math.max(1, Math.ceil(length() / maxRows))
    return Array.from({ length: Math.ceil(length() / step) }, (_, index) => index * step)
  }
  return (
    <figure class="chart" style={{ height: `${props.height ?? 176}px` }} aria-label={props.label}>
      <ErrorBoundary fallback={<p class="none">This chart could not be loaded: reload the page.</p>}>
        <Suspense>
          <Plot {...props} />
        </Suspense>
      </ErrorBoundary>
      <table class="reader">
        <caption>{props.label}</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <Index each={props.lines}>{(line) => <th scope="col">{line().label}</th>}</Index>
          </tr>
        </thead>
        <tbody>
          <For each={rows()}>
            {(index) => (
              <tr>
                <th scope="row">{clock(props.from + index * props.stepMillis)}</th>
                <Index each={props.lines}>
                  {(line) => {
                    const value = () => line().values[index]
                    return <td>{value() === null || value() === undefined ? "none" : props.format(value() ?? 0)}</td>
                  }}
                </Index>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </figure>
  )
}
