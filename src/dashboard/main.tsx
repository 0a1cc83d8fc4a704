/** Makes what every component can reach, and puts the page in its place. */
import { Router } from "@solidjs/router"
import { render } from "solid-js/web"
import { makeClient } from "./api/Client.ts"
import { makeApi } from "./api/Endpoints.ts"
import { createDialogs } from "./components/Dialogs.ts"
import { createToasts } from "./components/Toasts.tsx"
import { AppContext } from "./Context.ts"
import { createCommands } from "./keyboard/Commands.ts"
import { createLive } from "./live/Live.ts"
import { createPreferences } from "./Preferences.ts"
import { Routes } from "./Routes.tsx"
import { Shell } from "./shell/Shell.tsx"
import "./styles/index.css"

const Page = () => {
  const base = document.baseURI
  const preferences = createPreferences()
  const app = {
    api: makeApi(makeClient(base)),
    live: createLive(base),
    commands: createCommands(preferences),
    dialogs: createDialogs(),
    toasts: createToasts(),
    preferences
  }
  return (
    <AppContext.Provider value={app}>
      <Router base={new URL(base).pathname.replace(/\/$/u, "")} root={Shell}>
        <Routes />
      </Router>
    </AppContext.Provider>
  )
}

const place = document.getElementById("app")
if (place !== null) render(Page, place)
