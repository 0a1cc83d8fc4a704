/** Where one can go, with the numbers that matter, and how the connection is. */
import { A } from "@solidjs/router"
import { For, Show } from "solid-js"
import { Dynamic } from "solid-js/web"
import { createQuery } from "../api/createQuery.ts"
import { IconButton, type IconOf } from "../components/Button.tsx"
import {
  AlertTriangle,
  CircleHelp,
  Clock,
  Code,
  LayoutGrid,
  List,
  LogOut,
  Moon,
  Search,
  SlidersHorizontal,
  Snowflake,
  Sun
} from "../components/icons.ts"
import { useApp } from "../Context.ts"
import { compact, duration } from "../format.ts"
import type { CommandId } from "../keyboard/catalog.ts"
import { keysOf } from "../keyboard/Commands.ts"
import { Keys } from "../keyboard/Keys.tsx"
import type { Live } from "../live/Live.ts"

/** Four bars: what the overview is about. */
const Bars: IconOf = (props) => (
  <svg
    width={props.size}
    height={props.size}
    viewBox="0 0 16 16"
    fill="none"
    stroke="currentColor"
    stroke-width="1.5"
    stroke-linecap="round"
    aria-hidden="true"
  >
    <path d="M2.5 12.5v-4M6.2 12.5v-9M9.8 12.5V6M13.5 12.5V9.5" />
  </svg>
)

interface PageLink {
  readonly path: string
  readonly label: string
  readonly icon: IconOf
  readonly command: CommandId
  readonly note?: (live: Live, types: number | undefined) => string | undefined
  readonly tone?: (live: Live) => "bad" | undefined
}

const some = (value: number) => value === 0 ? undefined : compact(value)
const up = (live: Live) => live.data.workers.filter(({ state }) => state === "active" || state === "draining").length

export const pages: ReadonlyArray<PageLink> = [
  { path: "/", label: "Overview", icon: Bars, command: "go.overview" },
  { path: "/tasks", label: "Tasks", icon: List, command: "go.tasks", note: (live) => some(live.data.stats.waiting) },
  {
    path: "/errors",
    label: "Errors",
    icon: AlertTriangle,
    command: "go.errors",
    note: (live) => some(live.data.errors),
    tone: (live) => live.data.errors > 0 ? "bad" : undefined
  },
  {
    path: "/workers",
    label: "Workers",
    icon: LayoutGrid,
    command: "go.workers",
    note: (live) => up(live) === live.data.workers.length ? some(up(live)) : `${up(live)}/${live.data.workers.length}`
  },
  {
    path: "/schedules",
    label: "Schedules",
    icon: Clock,
    command: "go.schedules",
    note: (live) => some(live.data.stats.schedules)
  },
  {
    path: "/types",
    label: "Task types",
    icon: Code,
    command: "go.types",
    note: (_, types) => types === undefined ? undefined : some(types)
  },
  { path: "/system", label: "System", icon: SlidersHorizontal, command: "go.system" }
]

const words = { connecting: "Connecting…", live: "Live", reconnecting: "Reconnecting…", disconnected: "Disconnected" }
const tones = { connecting: "mute", live: "ok", reconnecting: "warn", disconnected: "bad" } as const

export const Sidebar = (props: { readonly open: boolean }) => {
  const { api, commands, dialogs, live, preferences, who } = useApp()
  const signOut = async () => {
    await api.signOut()
    location.reload()
  }
  const types = createQuery(() => true as const, (_, signal) => api.types.list(signal), { every: 60_000 })
  const shownState = () => live.frozen() ? "Frozen" : words[live.status()]
  return (
    <aside class="side" id="sidebar" aria-label="Sidebar" data-open={props.open ? "" : undefined}>
      <div class="brand">
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M13.6 4.5 6.8 13h4.3l-.9 6.5 7-9h-4.5z" />
        </svg>
        <div>
          FastWorker
          <small class="clip" data-tip="Namespace">{live.data.stats.namespace || "\u00a0"}</small>
        </div>
      </div>
      <button
        type="button"
        class="find"
        onClick={dialogs.palette}
        aria-keyshortcuts={commands.isMac ? "Meta+K" : "Control+K"}
      >
        <Search size={14} class="icon" aria-hidden="true" />
        Find or run…
        <Keys of={keysOf("find")} />
      </button>
      <nav class="nav" aria-label="Main">
        <For each={pages}>
          {(page) => (
            <A
              href={page.path}
              end={page.path === "/"}
              data-keys={keysOf(page.command)}
            >
              <Dynamic component={page.icon} size={16} class="icon" aria-hidden="true" />
              {page.label}
              <Show when={page.note?.(live, types.data()?.types.length)}>
                {(note) => <small data-tone={page.tone?.(live)}>{note()}</small>}
              </Show>
            </A>
          )}
        </For>
      </nav>
      <footer class="foot">
        <Show when={who.isNeeded}>
          <div>
            <span class="clip">Signed in as {who.role}</span>
            <IconButton size="small" icon={LogOut} label="Sign out" onClick={() => void signOut()} />
          </div>
        </Show>
        <div>
          <span
            class="live"
            data-state={live.frozen() ? "frozen" : live.status()}
            data-tone={live.frozen() ? "run" : tones[live.status()]}
          >
            {shownState()}
          </span>
          <span class="num" data-tip="To the control plane and back">
            <Show when={live.status() === "live" && live.connection().latency !== undefined}>
              {duration(live.connection().latency ?? 0)}
            </Show>
          </span>
        </div>
        <div>
          <span class="num clip">
            <Show when={live.ready()}>
              v{live.data.stats.version} · up{" "}
              {duration(Math.floor(live.data.stats.upMillis / 60_000) * 60_000 || live.data.stats.upMillis)}
            </Show>
          </span>
          <span>
            <IconButton
              size="small"
              icon={Snowflake}
              label={live.frozen() ? "Let the view go on" : "Freeze the view"}
              command="live.freeze"
              aria-pressed={live.frozen()}
              onClick={() => live.freeze(!live.frozen())}
            />
            <IconButton
              size="small"
              icon={CircleHelp}
              label="Keyboard shortcuts"
              command="help"
              onClick={dialogs.help}
            />
            <IconButton
              size="small"
              icon={preferences.dark() ? Sun : Moon}
              label={preferences.dark() ? "Switch to light" : "Switch to dark"}
              command="theme"
              onClick={() => preferences.setTheme(preferences.dark() ? "light" : "dark")}
            />
          </span>
        </div>
      </footer>
    </aside>
  )
}
