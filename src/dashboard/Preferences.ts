/** What this browser remembers: theme and single keys. Without storage it is remembered until the page is closed. */
import { type Accessor, createSignal } from "solid-js"

export type Theme = "system" | "light" | "dark"

export interface Preferences {
  readonly theme: Accessor<Theme>
  readonly setTheme: (theme: Theme) => void
  /** Whether it is dark now, by choice or by the system. */
  readonly dark: Accessor<boolean>
  /** Whether shortcuts of a single key work. */
  readonly singleKeys: Accessor<boolean>
  readonly setSingleKeys: (on: boolean) => void
}

/** What was written before; `null` when nothing was. */
export const read = (name: string): string | null => {
  try {
    return localStorage.getItem(`fastworker.${name}`)
  } catch {
    return null
  }
}
export const write = (name: string, value: string) => {
  try {
    localStorage.setItem(`fastworker.${name}`, value)
  } catch {
    // Not remembered then.
  }
}

export const createPreferences = (): Preferences => {
  const stored = read("theme")
  const [theme, setTheme] = createSignal<Theme>(stored === "light" || stored === "dark" ? stored : "system")
  const [singleKeys, setSingleKeys] = createSignal(read("single-keys") !== "off")
  const system = matchMedia("(prefers-color-scheme: dark)")
  const [systemDark, setSystemDark] = createSignal(system.matches)
  system.addEventListener("change", ({ matches }) => setSystemDark(matches))
  return {
    theme,
    setTheme: (next) => {
      setTheme(next)
      write("theme", next)
      if (next === "system") delete document.documentElement.dataset["theme"]
      else document.documentElement.dataset["theme"] = next
    },
    dark: () => theme() === "system" ? systemDark() : theme() === "dark",
    singleKeys,
    setSingleKeys: (on) => {
      setSingleKeys(on)
      write("single-keys", on ? "on" : "off")
    }
  }
}
