/** A line as high as a word. It repeats numbers that stand beside it, so readers skip it. */
export interface SparklineProps {
  readonly values: ReadonlyArray<number>
  readonly width?: number
  readonly height?: number
  readonly tone?: "ok" | "bad" | "warn" | "run" | "due" | "mute" | "accent"
}

/** Path over a box; without any values a line at the bottom. Pure. */
export const sparkPath = (values: ReadonlyArray<number>, width: number, height: number): string => {
  const top = Math.max(1, ...values)
  const step = width / Math.max(1, values.length - 1)
  const all = values.length > 1 ? values : [values[0] ?? 0, values[0] ?? 0]
  return all.map((value, index) =>
    `${index === 0 ? "M" : "L"}${(index * (values.length > 1 ? step : width)).toFixed(1)} ${
      (height - 2 - Math.max(0, value) / top * (height - 4)).toFixed(1)
    }`
  ).join("")
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
