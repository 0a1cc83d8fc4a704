/** What every component can reach: made once in `main.tsx`, replaced in tests of components. */
import { createContext, useContext } from "solid-js"
import type { Api } from "./api/Endpoints.ts"
import type { Dialogs } from "./components/Dialogs.ts"
import type { Toasts } from "./components/Toasts.tsx"
import type { Commands } from "./keyboard/Commands.ts"
import type { Live } from "./live/Live.ts"
import type { Preferences } from "./Preferences.ts"
import type { Who } from "./session/Session.ts"

export interface App {
  readonly api: Api
  readonly who: Who
  readonly live: Live
  readonly commands: Commands
  readonly dialogs: Dialogs
  readonly toasts: Toasts
  readonly preferences: Preferences
}

export const AppContext = createContext<App>()

export const useApp = (): App => {
  const app = useContext(AppContext)
  if (app === undefined) throw new Error("Put <AppContext.Provider> around this component.")
  return app
}
