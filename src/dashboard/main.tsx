/** Makes what every component can reach, and puts the page in its place. */
// First: it says in which order the layers of all other styles count.
import "./styles/index.css"
import { Router } from "@solidjs/router"
import { createSignal, Match, Switch } from "solid-js"
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
import type { Session, Who } from "./session/Session.ts"
import { askSession, readOnlyReason } from "./session/Session.ts"
import { SignIn } from "./session/SignIn.tsx"
import { Shell } from "./shell/Shell.tsx"

const base = document.baseURI

/** The server does not know us any more: from the beginning, which is the page to sign in. */
const client = makeClient(base, () => location.reload())

const Page = (props: { readonly who: Who }) => {
  const preferences = createPreferences()
  const app = {
    api: makeApi(client),
    who: props.who,
    live: createLive(base, { readOnly: readOnlyReason(props.who) }),
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

/** Until it is known who is looking there is nothing to show, which takes one question. */
const Entrance = () => {
  const [session, setSession] = createSignal<Session>()
  const ask = async () => {
    setSession(await askSession(makeClient(base)))
  }
  void ask()
  return (
    <Switch>
      <Match when={session()?.state === "stranger"}>
        <SignIn client={makeClient(base)} onDone={() => void ask()} />
      </Match>
      <Match when={known(session())}>{(who) => <Page who={who()} />}</Match>
    </Switch>
  )
}

/** Who can't be asked about is shown the page, which says that there is no connection. */
const known = (session: Session | undefined): Who | undefined =>
  session?.state === "known"
    ? session.who
    : session?.state === "unreachable"
    ? { role: "operator", isNeeded: false }
    : undefined

const place = document.getElementById("app")
if (place !== null) render(Entrance, place)
