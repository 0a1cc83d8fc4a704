/** Matches jobs with their results where a system tells both apart; a result may be there before its job has an id. */
export const makeWaiters = () => {
  const waiting = new Map<string, (value: unknown) => void>()
  const early = new Map<string, unknown>()
  return {
    arrived(id: string, value: unknown) {
      const resolve = waiting.get(id)
      if (resolve === undefined) return void early.set(id, value)
      waiting.delete(id)
      resolve(value)
    },
    of: (id: string): Promise<unknown> =>
      new Promise((resolve) => {
        if (!early.has(id)) return void waiting.set(id, resolve)
        resolve(early.get(id))
        early.delete(id)
      })
  }
}
