/** A line as high as a word. It repeats numbers that stand beside it, so readers skip it. */
import { sparkPath } from "../charts/spark.ts"

export interface SparklineProps {
  readonly values: ReadonlyArray<number>
  readonly width?: number
  readonly height?: number
  readonly tone?: "ok" | "bad" | "warn" | "run" | "due" | "mute" | "accent"
}

export const Sparkline = (props: SparklineProps) => {
  const width = () => props.width ?? 72
  const height = () => props.height ?? 20
  return (
    <svg
      class="spark"
      data-tone={props.tone ?? "accent"}
      width={width()}
      height={height()}
      viewBox={`0 0 ${width()} ${height()}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path d={sparkPath(props.values, width(), height())} vector-effect="non-scaling-stroke" />
    </svg>
  )
}
