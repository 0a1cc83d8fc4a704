/** Saved views as they are stored. Pure. */
export interface SavedView {
  readonly name: string
  readonly search: string
}

export const maxViews = 50

/** What was written by this page, or by anybody. Pure. */
export const parseViews = (text: string | null): ReadonlyArray<SavedView> => {
  try {
    const value: unknown = JSON.parse(text ?? "[]")
    return (Array.isArray(value) ? value : []).filter((view): view is SavedView =>
      typeof view === "object" && view !== null && typeof view.name === "string" && typeof view.search === "string"
    ).slice(0, maxViews)
  } catch {
    return []
  }
}
