/** The control plane itself: its process, what it holds and how much fits, its settings, what happened, and preferences. */
import { useSearchParams } from "@solidjs/router"
import { For, type JSX, Show } from "solid-js"
import type { SystemView } from "../../../domain/View.ts"
import { createQuery } from "../../api/createQuery.ts"
import { Button } from "../../components/Button.tsx"
import { CopyButton } from "../../components/CopyButton.tsx"
import { Events } from "../../components/Events.tsx"
import { Facts, Figures, Gauge } from "../../components/Facts.tsx"
import { ErrorPanel, Skeleton } from "../../components/Feedback.tsx"
import { FilterField, matches } from "../../components/FilterField.tsx"
import { ExternalLink } from "../../components/icons.ts"
import { Page } from "../../components/Page.tsx"
import { Age, Moment } from "../../components/Times.tsx"
import { useApp } from "../../Context.ts"
import { bytes, count, duration, percent, plural } from "../../format.ts"
import { Preferences } from "./Preferences.tsx"
import { settingValue, settingWords } from "./settings.ts"
import "./system.css"

const reloadMillis = 2_000
/** Events that are shown at first. */
const maxEvents = 12
const slowLag = 200

export default function System() {
  const { api } = useApp()
  const system = createQuery(() => true as const, (_, signal) => api.system(signal), { every: reloadMillis })
  return (
    <Page title="System" mark={<Show when={system.data()}>{(it) => <span class="quiet">{it().namespace}</span>}</Show>}>
      <Show when={system.problem()}>
        {(problem) => <ErrorPanel title="The control plane does not say" problem={problem()} retry={system.reload} />}
      </Show>
      <Show
        when={system.data()}
        fallback={
          <Show when={system.loading()}>
            <Skeleton rows={9} height={52} />
          </Show>
        }
      >
        {(it) => <Body system={it()} />}
      </Show>
    </Page>
  )
}

const Part = (
  props: { readonly id: string; readonly title: string; readonly note?: JSX.Element; readonly children: JSX.Element }
) => (
  <section aria-labelledby={props.id}>
    <header>
      <h2 id={props.id}>{props.title}</h2>
      <span class="quiet small push">{props.note}</span>
    </header>
    {props.children}
  </section>
)

const Address = (props: { readonly text: string }) => (
  <span class="copy-line">
    <span class="mono clip" data-tip={props.text}>{props.text}</span>
    <CopyButton text={props.text} label={`Copy ${props.text}`} />
  </span>
)

const Body = (props: { readonly system: SystemView }) => {
  const { live } = useApp()
  const it = () => props.system
  const asked = () => it().results.hits + it().results.misses
  return (
    <>
      <Show when={it().journal?.failure}>
        {(failure) => (
          <div class="meaning" data-tone="bad" role="alert">
            <p>
              <strong>The journal can't be written.</strong> {failure()}{" "}
              New tasks are refused until it can; what was accepted before stays.
            </p>
          </div>
        )}
      </Show>
      <div class="panel">
        <Figures
          figures={[
            { name: "Up for", value: () => duration(Math.floor(live.data.stats.upMillis / 1_000) * 1_000) },
            { name: "CPU", value: () => percent(it().process.cpu), note: () => "of a core" },
            { name: "Memory", value: () => bytes(it().process.rss) },
            {
              name: "Heap",
              value: () => bytes(it().process.heapUsed),
              note: () => `of ${bytes(it().process.heapLimit)}`
            },
            {
              name: "Event-loop lag",
              value: () => duration(it().process.lag),
              tone: () => it().process.lag >= slowLag ? "warn" : undefined
            },
            { name: "Clients", value: () => count(it().sessions) },
            { name: "Dashboards", value: () => count(it().dashboards) },
            { name: "Workers", value: () => count(live.data.stats.workers) }
          ]}
        />
      </div>
      <div class="cells">
        <Part id="queue" title="Queue" note="waiting tasks">
          <div class="gauges">
            <Gauge label="Waiting tasks" value={it().queue.waiting} limit={it().queue.limit} format={count} />
            <Gauge label="Their arguments" value={it().queue.bytes} limit={it().queue.limitBytes} format={bytes} />
          </div>
          <p class="small quiet">When it is full, submitting is refused until tasks have run.</p>
        </Part>
        <Part id="results" title="Results" note={`kept for ${duration(it().results.ttlMillis)}`}>
          <div class="gauges">
            <Gauge label="Results" value={it().results.size} limit={it().results.limit} format={count} rolls />
            <Gauge label="Their size" value={it().results.bytes} limit={it().results.limitBytes} format={bytes} rolls />
          </div>
          <p class="small quiet num">
            {asked() === 0
              ? "Nobody has asked late for one yet."
              : `${percent(it().results.hits / asked())} of ${plural(asked(), "late question")} found theirs.`}{" "}
            The oldest make room.
          </p>
        </Part>
        <Part
          id="history"
          title="History"
          note={
            <Show when={it().history.oldestAt}>
              {(at) => (
                <>
                  since <Moment at={at()} />
                </>
              )}
            </Show>
          }
        >
          <div class="gauges">
            <Gauge label="Finished tasks" value={it().history.tasks} limit={it().history.limit} format={count} rolls />
            <Gauge label="Their size" value={it().history.bytes} limit={it().history.limitBytes} format={bytes} rolls />
          </div>
          <p class="small quiet">Finished tasks that are remembered for this page. The oldest make room.</p>
        </Part>
        <Part id="dead" title="Failed tasks" note="that can be retried">
          <div class="gauges">
            <Gauge label="Failed tasks" value={it().dead.tasks} limit={it().dead.limit} format={count} rolls />
            <Gauge label="Their size" value={it().dead.bytes} limit={it().dead.limitBytes} format={bytes} rolls />
          </div>
          <p class="small quiet">Kept with their arguments until they are retried or purged. The oldest make room.</p>
        </Part>
        <Part id="journal" title="Journal">
          <Show
            when={it().journal}
            fallback={
              <p class="quiet">
                There is none: what waits and runs is lost when this process ends. Start it with{" "}
                <code>--journal FILE</code> to keep it.
              </p>
            }
          >
            {(journal) => (
              <Facts
                facts={[
                  { name: "File", value: <Address text={journal().file} /> },
                  { name: "Size", value: bytes(journal().bytes) },
                  {
                    name: "State",
                    value: (
                      <span class="status" data-tone={journal().failure === undefined ? "ok" : "bad"}>
                        <i class="dot" data-shape={journal().failure === undefined ? undefined : "diamond"} />
                        {journal().failure === undefined ? "Written" : "Can't be written"}
                      </span>
                    )
                  }
                ]}
              />
            )}
          </Show>
        </Part>
        <Part id="addresses" title="Addresses">
          <Facts
            facts={[
              { name: "Clients", value: <Address text={it().addresses.clients} /> },
              { name: "Workers", value: <Address text={it().addresses.workers} /> },
              { name: "Discovery", value: <Address text={it().addresses.discovery} /> },
              { name: "Dashboard", value: <Address text={document.baseURI} /> }
            ]}
          />
        </Part>
      </div>
      <div class="two">
        <div>
          <Log system={it()} />
        </div>
        <div>
          <Preferences />
          <About system={it()} />
        </div>
      </div>
      <Settings system={it()} />
    </>
  )
}

const Log = (props: { readonly system: SystemView }) => {
  const [search, setSearch] = useSearchParams<{ log?: string }>()
  const isAll = () => search.log === "all"
  const events = () => isAll() ? props.system.events : props.system.events.slice(0, maxEvents)
  const hidden = () => props.system.events.length - events().length
  return (
    <section class="block" aria-labelledby="events">
      <header>
        <h2 id="events">Events</h2>
        <span class="quiet">newest first</span>
      </header>
      <Show when={events().length > 0} fallback={<p class="panel-pad quiet">Nothing was noted yet.</p>}>
        <Events events={events()} linked />
        <Show when={hidden() > 0 || isAll()}>
          <p class="table-more">
            <Button
              size="small"
              onClick={() => setSearch({ log: isAll() ? undefined : "all" }, { replace: true, scroll: false })}
            >
              {isAll() ? "Show fewer" : `Show ${count(hidden())} more`}
            </Button>
          </p>
        </Show>
      </Show>
    </section>
  )
}

const Settings = (props: { readonly system: SystemView }) => {
  const [search, setSearch] = useSearchParams<{ q?: string }>()
  const query = () => search.q ?? ""
  const found = () =>
    props.system.settings.filter(({ name, value }) => matches(query(), name, settingWords(name), value))
  return (
    <section class="block settings-part" aria-labelledby="settings">
      <header>
        <h2 id="settings">Settings</h2>
        <span class="num">{count(props.system.settings.length)}</span>
        <FilterField
          label="Filter settings"
          value={query()}
          onChange={(q) => setSearch({ q: q === "" ? undefined : q }, { replace: true, scroll: false })}
        />
      </header>
      <Show when={found().length > 0} fallback={<p class="panel-pad quiet">No setting matches “{query()}”.</p>}>
        <dl class="settings">
          <For each={found()}>
            {(setting) => (
              <div data-tip={setting.name}>
                <dt>{settingWords(setting.name)}</dt>
                <dd class="mono">{settingValue(setting.value)}</dd>
              </div>
            )}
          </For>
        </dl>
      </Show>
      <p class="panel-pad small quiet">
        Set with flags or environment variables when it starts; here they are read only.
      </p>
    </section>
  )
}

const About = (props: { readonly system: SystemView }) => {
  const it = () => props.system
  const out = (address: string) => new URL(address, document.baseURI).href
  return (
    <section class="block" aria-labelledby="about">
      <header>
        <h2 id="about">About</h2>
      </header>
      <div class="panel-pad">
        <Facts
          facts={[
            { name: "FastWorker", value: it().version },
            { name: "Runtime", value: it().process.runtime },
            { name: "Host", value: `${it().process.host}, process ${it().process.pid}` },
            {
              name: "Started",
              value: (
                <>
                  <Moment at={it().startedAt} />, <Age at={it().startedAt} />
                </>
              )
            },
            { name: "Namespace", value: it().namespace },
            {
              name: "Epoch",
              value: <Address text={it().epoch} />,
              tip: "Another one means that it started anew without its journal"
            },
            { name: "Protocol", value: `Version ${it().protocolVersions.join(", ")}` }
          ]}
        />
      </div>
      <ul class="links panel-pad">
        <For
          each={[
            { to: "docs/", text: "Documentation" },
            { to: "api/docs", text: "API documentation" },
            { to: "openapi.json", text: "openapi.json" },
            { to: "healthz", text: "healthz" },
            { to: "licences.md", text: "Licences" }
          ]}
        >
          {(link) => (
            <li>
              <a class="link" href={out(link.to)} target="_blank" rel="noopener">
                {link.text}
                <ExternalLink size={12} class="icon" aria-label="opens another tab" />
              </a>
            </li>
          )}
        </For>
      </ul>
    </section>
  )
}
