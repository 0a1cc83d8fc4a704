/** The series of a range, kept up to date: seconds that end are added, longer steps are asked for when they are over. */
import type { Accessor } from "solid-js"
import type { Range } from "../../../domain/View.ts"
import type { Series } from "../../../domain/View.ts"
import { type Asked, createQuery } from "../../api/createQuery.ts"
import { appended } from "../../charts/series.ts"
import { useApp } from "../../Context.ts"

export const createSeries = (range: Accessor<Range>): Asked<Series> => {
  const { api, live } = useApp()
  const series = createQuery(range, (range, signal) => api.series({ range }, signal))
  live.onFrame(({ over, seconds }) => {
    const before = series.data()
    if (before === undefined || series.loading()) return
    const next = over === true ? undefined : appended(before, seconds ?? [])
    if (next === undefined) series.reload()
    else if (next !== before) series.set(next)
  })
  return series
}
