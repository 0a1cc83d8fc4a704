/** What stands around every page: the sidebar, the connection, the commands that work everywhere, and what lies above. */
import { type RouteSectionProps, useLocation, useNavigate } from "@solidjs/router"
import { createEffect, createSignal, ErrorBoundary, lazy, on, Show, Suspense } from "solid-js"
import { IconButton } from "../components/Button.tsx"
import { ErrorPanel, Skeleton } from "../components/Feedback.tsx"
import { MenuIcon, Search, X } from "../components/icons.ts"
import { Tips } from "../components/Tips.tsx"
import { ToastRegion } from "../components/Toasts.tsx"
import { useApp } from "../Context.ts"
import { useCommand } from "../keyboard/Commands.ts"
import { Announcer } from "./Announcer.tsx"
import { dispatchPause } from "./dispatch.ts"
import { Notices } from "./Notices.tsx"
import { pages, Sidebar } from "./Sidebar.tsx"

const Overlays = lazy(() => import("../components/Overlays.tsx"))

export const Shell = (props: RouteSectionProps) => {
  const app = useApp()
  const { dialogs, live, preferences, toasts } = app
  const navigate = useNavigate()
  const location = useLocation()
  const [open, setOpen] = createSignal(false)
  let main: HTMLElement | undefined

  useCommand("find", dialogs.palette)
  useCommand("help", dialogs.help)
  useCommand("theme", () => preferences.setTheme(preferences.dark() ? "light" : "dark"))
  useCommand("task.run", () => dialogs.run(), live.blocked)
  useCommand("live.freeze", () => live.freeze(!live.frozen()))
  useCommand("dispatch.pause", () => void dispatchPause(app), live.blocked)
  for (const { command, path } of pages) useCommand(command, () => navigate(path))

  // Another page: readers start at its top, and the drawer menu has done its work.
  createEffect(on(() => location.pathname.split("/")[1], () => {
    setOpen(false)
    main?.focus({ preventScroll: true })
  }, { defer: true }))

  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          main?.focus()
        }}
      >
        Skip to content
      </a>
      <div
        class="app"
        onKeyDown={(event) => {
          if (event.key === "Escape") setOpen(false)
        }}
      >
        <header class="menu-bar">
          <IconButton
            icon={open() ? X : MenuIcon}
            label={open() ? "Close the menu" : "Menu"}
            aria-expanded={open()}
            onClick={() => setOpen(!open())}
          />
          <b>FastWorker</b>
          <IconButton icon={Search} label="Find or run" onClick={dialogs.palette} />
        </header>
        <Sidebar open={open()} />
        <main ref={main} class="main" id="main" tabIndex={-1} onPointerDown={() => setOpen(false)}>
          <Notices />
          <ErrorBoundary
            fallback={(error, reset) => (
              <div class="sheet">
                <ErrorPanel
                  title="This page failed"
                  problem={{ status: 0, title: "", code: "Page", detail: String(error) }}
                  retry={reset}
                />
              </div>
            )}
          >
            <Suspense
              fallback={
                <div class="sheet">
                  <Skeleton rows={8} height={52} />
                </div>
              }
            >
              {props.children}
            </Suspense>
          </ErrorBoundary>
        </main>
      </div>
      <Show when={dialogs.current()}>
        <Suspense>
          <Overlays />
        </Suspense>
      </Show>
      <ToastRegion toasts={toasts} />
      <Tips />
      <Announcer />
    </>
  )
}
