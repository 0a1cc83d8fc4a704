/** The line of a sparkline. Pure. */
/** Path over a box; without any values a line at the bottom. */
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
