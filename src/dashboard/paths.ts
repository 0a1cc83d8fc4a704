/** Addresses of the pages, in one place: names hold `/`, `.` and `:`. */
import { path, queryString } from "./api/Client.ts"
import type { TaskQuery } from "./api/Endpoints.ts"

export const taskPath = (id: string): string => path`/tasks/${id}`
export const workerPath = (idOrKey: string): string => path`/workers/${idOrKey}`
export const typePath = (name: string): string => path`/types/${name}`
/** The list of tasks with a filter, in the names of the API. */
export const tasksPath = (query: TaskQuery = {}): string => `/tasks${queryString(query)}`
export const errorPath = (key: string): string => `/errors${queryString({ group: key })}`

/** A name as it stands in a path; what nobody encoded is taken as it is. */
export const nameFrom = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
