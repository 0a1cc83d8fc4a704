/** Puts a component on the page with everything it can reach, and a live stream that the test speaks. */
import { createMemoryHistory, MemoryRouter, Route } from "@solidjs/router"
import type { JSX } from "solid-js"
import { render } from "solid-js/web"
import { makeClient } from "../../../src/dashboard/api/Client.ts"
import { makeApi } from "../../../src/dashboard/api/Endpoints.ts"
import { createDialogs } from "../../../src/dashboard/components/Dialogs.ts"
import { Tips } from "../../../src/dashboard/components/Tips.tsx"
import { createToasts } from "../../../src/dashboard/components/Toasts.tsx"
import { type App, AppContext } from "../../../src/dashboard/Context.ts"
import { createCommands } from "../../../src/dashboard/keyboard/Commands.ts"
import { createLive } from "../../../src/dashboard/live/Live.ts"
import type { StreamEvents } from "../../../src/dashboard/live/Stream.ts"
import { createPreferences } from "../../../src/dashboard/Preferences.ts"
import "../../../src/dashboard/styles/index.css"

export interface Stage {
  readonly app: App
  readonly root: HTMLElement
  readonly stream: StreamEvents
  readonly at: () => string
  readonly end: () => void
}

export const stage = (component: () => JSX.Element): Stage => {
  const root = document.createElement("main")
  document.body.append(root)
  const history = createMemoryHistory()
  let app: App | undefined
  let stream: StreamEvents | undefined
  const dispose = render(() => {
    const preferences = createPreferences()
    app = {
      api: makeApi(makeClient(document.baseURI)),
      live: createLive(document.baseURI, (_, events) => {
        stream = events
        return { retry: () => {}, close: () => {} }
      }),
      commands: createCommands(preferences),
      dialogs: createDialogs(),
      toasts: createToasts(),
      preferences
    }
    return (
      <AppContext.Provider value={app}>
        <MemoryRouter history={history}>
          <Route path="*" component={component} />
        </MemoryRouter>
        <Tips />
      </AppContext.Provider>
    )
  }, root)
  if (app === undefined || stream === undefined) throw new Error("nothing was drawn")
  return {
    app,
    root,
    stream,
    at: history.get,
    end: () => {
      dispose()
      root.remove()
    }
  }
}
