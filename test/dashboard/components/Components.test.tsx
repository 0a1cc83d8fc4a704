import { createSignal } from "solid-js"
import { afterEach, assert, describe, it } from "vitest"
import { userEvent } from "vitest/browser"
import { ConfirmDialog } from "../../../src/dashboard/components/ConfirmDialog.tsx"
import { JsonView } from "../../../src/dashboard/components/JsonView.tsx"
import { createSelection } from "../../../src/dashboard/components/selection.ts"
import { SlotSquares } from "../../../src/dashboard/components/SlotSquares.tsx"
import { TokenSearch } from "../../../src/dashboard/components/TokenSearch.tsx"
import { VirtualGrid } from "../../../src/dashboard/components/VirtualGrid.tsx"
import { type Args, ArgsEditor } from "../../../src/dashboard/run/ArgsEditor.tsx"
import type { WorkerRow } from "../../../src/domain/View.ts"
import { type Stage, stage } from "./Stage.tsx"

let ends: Array<() => void> = []
const show = (component: Parameters<typeof stage>[0]): Stage => {
  const shown = stage(component)
  ends.push(shown.end)
  return shown
}
afterEach(() => {
  for (const end of ends) end()
  ends = []
})

const find = (selector: string): HTMLElement => {
  const element = document.querySelector<HTMLElement>(selector)
  if (element === null) throw new Error(`there is no ${selector} in ${document.body.innerHTML.slice(0, 2_000)}`)
  return element
}

const frame = () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())))

describe("a long list", () => {
  const ids = Array.from({ length: 100_000 }, (_, index) => `task-${index}`)

  it("draws what is in sight, goes by the keyboard, and never loses the focus", async () => {
    const opened: Array<string> = []
    const selection = createSelection()
    show(() => (
      <VirtualGrid
        label="Tasks"
        ids={ids}
        columns={[{ head: "ID", width: "1fr", cell: (id) => id }]}
        selection={selection}
        height="400px"
        onOpen={(id) => opened.push(id)}
      />
    ))
    await frame()
    const grid = find("[role=grid]")
    const focused = () => document.activeElement?.getAttribute("data-id")
    assert.isBelow(grid.querySelectorAll("[role=row]").length, 40)
    assert.strictEqual(grid.getAttribute("aria-rowcount"), "100001")

    await userEvent.keyboard("jjj")
    assert.strictEqual(focused(), "task-2")
    await userEvent.keyboard("{ArrowDown}{Enter}")
    assert.deepStrictEqual(opened, ["task-3"])
    await userEvent.keyboard("x{Shift>}{ArrowDown}{ArrowDown}{/Shift}")
    assert.deepStrictEqual([...selection.ids()], ["task-3", "task-4", "task-5"])
    await userEvent.keyboard("{End}")
    assert.strictEqual(focused(), "task-99999")
    assert.strictEqual(document.activeElement?.getAttribute("aria-rowindex"), "100001")

    grid.scrollTop = 0
    await frame()
    assert.strictEqual(focused(), "task-99999")
    await userEvent.keyboard("k")
    assert.strictEqual(focused(), "task-99998")
    assert.isAbove(grid.scrollTop, 3_000_000)
  })
})

describe("payloads", () => {
  it("never become markup, and keep their numbers", () => {
    const text = `{"<img src=x onerror=alert(1)>":"</pre><script>alert(1)</script>","n":12345678901234567890}`
    const { root } = show(() => <JsonView label="the arguments" text={text} />)
    assert.lengthOf(root.querySelectorAll("img, script"), 0)
    assert.strictEqual(find("pre").textContent?.replaceAll(/\s/gu, ""), text.replaceAll(/\s/gu, ""))
  })
})

describe("slots", () => {
  it("are one stop of the Tab key, and lead to their tasks", async () => {
    const worker: WorkerRow = {
      id: "w",
      key: "w",
      state: "active",
      local: false,
      slots: 4,
      running: 2,
      busy: [["a", "mail", 0, 0], ["b", "mail", 3, 0]],
      registeredAt: 0,
      lastSeenAt: 0,
      succeeded: 0,
      failed: 0,
      perMinute: 0,
      lag: 0,
      loads: []
    }
    const { at, root } = show(() => <SlotSquares worker={worker} />)
    assert.lengthOf(root.querySelectorAll("[tabindex='0']"), 1)
    assert.strictEqual(find("[role=listbox]").getAttribute("aria-label"), "2 of 4 slots busy")
    find("[role=listbox]").focus()
    await userEvent.keyboard("{ArrowRight}{Enter}")
    assert.strictEqual(at(), "/tasks/b")
  })
})

describe("a change of many", () => {
  it("above 1,000 happens only when their number was typed", async () => {
    const answers: Array<boolean> = []
    show(() => (
      <ConfirmDialog
        confirmation={{ title: "Retry 1,640 tasks?", text: "All.", action: "Retry 1,640", count: 1_640 }}
        onAnswer={(yes) => answers.push(yes)}
      />
    ))
    const button = () => find("footer .button[data-kind=primary]")
    button().click()
    assert.deepStrictEqual(answers, [])
    assert.strictEqual(button().getAttribute("aria-description"), "Type 1,640 first.")
    find("input").focus()
    await userEvent.keyboard("1,640{Enter}")
    assert.deepStrictEqual(answers, [true])
  })
})

describe("a search", () => {
  it("completes names and values by the keyboard", async () => {
    const [value, setValue] = createSignal("")
    show(() => (
      <TokenSearch
        label="Search tasks"
        value={value()}
        names={[{ name: "status", hint: "state", values: () => ["failed", "running"] }]}
        onChange={setValue}
      />
    ))
    await userEvent.keyboard("/")
    assert.strictEqual(document.activeElement, find("[role=combobox]"))
    await userEvent.keyboard("st{ArrowDown}{Enter}f{ArrowDown}{Enter}{Enter}")
    assert.strictEqual(value(), "status:failed")
  })
})

describe("arguments", () => {
  it("are a form of their schema, and the same as text", async () => {
    let args: Args | undefined
    show(() => (
      <ArgsEditor
        schema={JSON.stringify({
          type: "object",
          properties: { to: { type: "string" }, amount: { type: "number" } },
          required: ["to"]
        })}
        args={`{"to":"Ada","amount":12345678901234567890}`}
        onChange={(next) => {
          args = next
        }}
      />
    ))
    const [to] = document.querySelectorAll<HTMLInputElement>("input.input")
    assert.strictEqual(to?.value, "Ada")
    to?.focus()
    await userEvent.keyboard(" L.")
    assert.deepStrictEqual(args, { text: `{"to":"Ada L.","amount":12345678901234567890}`, problem: undefined })
    find("[role=radio][aria-checked=false]").click()
    const area = document.querySelector("textarea")
    assert.strictEqual(area?.value, `{\n  "to": "Ada L.",\n  "amount": 12345678901234567890\n}`)
    area?.focus()
    await userEvent.keyboard("}")
    assert.match(args?.problem ?? "", /not JSON/u)
  })
})

describe("the connection", () => {
  it("that is lost blocks changes with a reason, and is given back", () => {
    const { app, stream } = show(() => <p />)
    stream.connection({ state: "live", since: Date.now() })
    assert.isUndefined(app.live.blocked())
    stream.connection({ state: "lost", since: Date.now() - 11_000, retryAt: Date.now() + 4_000 })
    assert.strictEqual(app.live.status(), "disconnected")
    assert.match(app.live.blocked() ?? "", /no connection/u)
    stream.connection({ state: "live", since: Date.now() })
    assert.strictEqual(app.live.status(), "live")
  })
})
