/**
 * Every command that has a key, whether or not the page that carries it out is open: the help shows all of them. `local`
 * ones are carried out by the element that has the focus and stand here for the help only.
 */
export interface Entry {
  /** `mod` is ⌘ on a Mac and Ctrl elsewhere; a space parts keys that are pressed one after the other. */
  readonly keys: string
  readonly label: string
  readonly group: "Everywhere" | "Go to" | "Lists" | "Tasks" | "Control plane"
  readonly local?: boolean
  /** The help shows one of a row of them. */
  readonly hidden?: boolean
}

const entry = (group: Entry["group"], keys: string, label: string, local = false): Entry => ({
  keys,
  label,
  group,
  ...local ? { local } : {}
})

export const catalog = {
  "find": entry("Everywhere", "mod+k", "Find or run"),
  "search": entry("Everywhere", "/", "Search this page"),
  "help": entry("Everywhere", "?", "Keyboard shortcuts"),
  "theme": entry("Everywhere", "d", "Switch between light and dark"),
  "close": entry("Everywhere", "escape", "Close, then clear", true),
  "go.overview": entry("Go to", "g o", "Overview"),
  "go.tasks": entry("Go to", "g t", "Tasks"),
  "go.errors": entry("Go to", "g e", "Errors"),
  "go.workers": entry("Go to", "g w", "Workers"),
  "go.schedules": entry("Go to", "g s", "Schedules"),
  "go.types": entry("Go to", "g y", "Task types"),
  "go.system": entry("Go to", "g p", "System"),
  "row.next": entry("Lists", "j", "Next row"),
  "row.previous": entry("Lists", "k", "Previous row"),
  "row.arrows": entry("Lists", "arrowdown", "Next row, in a list", true),
  "row.open": entry("Lists", "enter", "Open", true),
  "row.select": entry("Lists", "x", "Select"),
  "row.extend": entry("Lists", "shift+arrowdown", "Extend the selection", true),
  "row.all": entry("Lists", "mod+a", "Select all that are loaded", true),
  "tab.1": entry("Lists", "1", "First tab, and so on to the sixth"),
  "tab.2": { ...entry("Lists", "2", "Second tab"), hidden: true },
  "tab.3": { ...entry("Lists", "3", "Third tab"), hidden: true },
  "tab.4": { ...entry("Lists", "4", "Fourth tab"), hidden: true },
  "tab.5": { ...entry("Lists", "5", "Fifth tab"), hidden: true },
  "tab.6": { ...entry("Lists", "6", "Sixth tab"), hidden: true },
  "task.retry": entry("Tasks", "r", "Retry"),
  "task.cancel": entry("Tasks", "c", "Cancel"),
  "task.previous": entry("Tasks", "[", "Previous task"),
  "task.next": entry("Tasks", "]", "Next task"),
  "task.copy": entry("Tasks", "y", "Copy the id"),
  "task.run": entry("Tasks", "n", "Run a task"),
  "live.freeze": entry("Control plane", "shift+l", "Freeze the view"),
  "dispatch.pause": entry("Control plane", "shift+p", "Pause or resume dispatch")
} satisfies Record<string, Entry>

export type CommandId = keyof typeof catalog

export const entryOf = (id: CommandId): Entry => catalog[id]
