/** Names of keys. Pure. */
export interface KeyPress {
  readonly key: string
  readonly code?: string
  readonly shiftKey: boolean
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
}

/** `mod+k`, `shift+l`, `?`, `[`: as the catalogue names them. Keys of other alphabets go by their place on the board. */
export const nameOf = (press: KeyPress): string => {
  const byPlace = /^[a-z]$/iu.test(press.key) || press.key.length !== 1 || press.key.charCodeAt(0) < 128
    ? undefined
    : /^Key([A-Z])$/u.exec(press.code ?? "")?.[1]
  const key = (byPlace ?? press.key).toLowerCase()
  // What Shift makes of a sign is a sign of its own.
  const hasShift = press.shiftKey && (key.length > 1 || /[a-z]/u.test(key))
  return `${press.ctrlKey || press.metaKey ? "mod+" : ""}${press.altKey ? "alt+" : ""}${hasShift ? "shift+" : ""}${key}`
}

/** Whether the keys of a command need no Ctrl, ⌘ or Alt: those are not for everybody. */
export const isSingle = (keys: string): boolean => !keys.includes("mod+") && !keys.includes("alt+") && keys !== "escape"

const signs: Readonly<Record<string, string>> = {
  escape: "Esc",
  enter: "Enter",
  arrowdown: "↓",
  arrowup: "↑",
  shift: "⇧"
}

/** What stands on the keys: `["⌘", "K"]`, `["g", "o"]`. */
export const shownKeys = (keys: string, isMac: boolean): ReadonlyArray<string> =>
  keys.split(" ").flatMap((step) =>
    step.split("+").map((key, index, all) => {
      if (key === "mod") return isMac ? "⌘" : "Ctrl"
      return signs[key] ?? (all.length > 1 && index === all.length - 1 ? key.toUpperCase() : key)
    })
  )
