import { createSignal } from "solid-js"
import { afterEach, assert, describe, it } from "vitest"
import { userEvent } from "vitest/browser"
import { Menu } from "../../../src/dashboard/components/Menu.tsx"
import { TokenSearch } from "../../../src/dashboard/components/TokenSearch.tsx"
import { Failures } from "../../../src/dashboard/pages/tasks/detail/Failures.tsx"
import type { TaskDetail } from "../../../src/domain/View.ts"
import { stage } from "./Stage.tsx"

let end = () => {}
const show = (component: Parameters<typeof stage>[0]) => {
  end = stage(component).end
}
afterEach(() => end())

const all = (selector: string) => [...document.querySelectorAll<HTMLElement>(selector)]
const find = (selector: string): HTMLElement => {
  const [element] = all(selector)
  if (element === undefined) throw new Error(`there is no ${selector} in ${document.body.innerHTML.slice(0, 2_000)}`)
  return element
}
const focused = () => document.activeElement?.textContent?.trim()
const frame = () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())))

describe("a menu", () => {
  it("goes by the keyboard, stays open for choices, and gives the focus back", async () => {
    const ran: Array<string> = []
    const [isOn, setOn] = createSignal(false)
    const items = [
      { label: "Copy", run: () => void ran.push("copy") },
      {
        label: "Worker",
        get checked() {
          return isOn()
        },
        run: () => setOn(!isOn())
      },
      { label: "Purge", blocked: "Nothing to purge.", run: () => void ran.push("purge") }
    ]
    show(() => <Menu label="More" text items={items} />)
    find("button").focus()
    await userEvent.keyboard("{ArrowDown}")
    await frame()
    assert.strictEqual(focused(), "Copy")
    await userEvent.keyboard("w")
    assert.strictEqual(focused(), "Worker")
    await userEvent.keyboard("{Enter}")
    assert.strictEqual(find("[role=menuitemcheckbox]").getAttribute("aria-checked"), "true")
    await userEvent.keyboard("{End}{Enter}")
    assert.deepStrictEqual(ran, [])
    await userEvent.keyboard("{Home}{Enter}")
    await frame()
    assert.deepStrictEqual(ran, ["copy"])
    assert.isEmpty(all("[role^=menuitem]"))
    assert.strictEqual(document.activeElement, find("button"))
  })
})

describe("a search", () => {
  it("leaves what is typed as it is typed, and shows what the page made of it when it is left", async () => {
    const [value, setValue] = createSignal("")
    const asked: Array<string> = []
    const canonical = (text: string) => {
      asked.push(text)
      setValue(text.replace("state:", "status:"))
    }
    show(() => (
      <TokenSearch label="Search" value={value()} names={[{ name: "status", hint: "" }]} onChange={canonical} />
    ))
    const input = find("input") as HTMLInputElement
    await userEvent.type(input, "state:failed ")
    const deadline = Date.now() + 5_000
    while (asked.at(-1) !== "state:failed" && Date.now() < deadline) await frame()
    assert.strictEqual(asked.at(-1), "state:failed")
    assert.strictEqual(input.value, "state:failed ")
    input.blur()
    await frame()
    assert.strictEqual(input.value, "status:failed")
  })
})

describe("a failure", () => {
  it("never becomes markup, with its library frames folded", () => {
    const markup = "<img src=x onerror=\"document.title='owned'\">"
    const failure = {
      reason: "defect" as const,
      type: markup,
      message: `${markup}\nsecond line`,
      stack: `Error: ${markup}\n    at ${markup} (/app/src/a.ts:1:2)\n    at run (/app/node_modules/effect/b.js:3:4)`,
      payload: { text: JSON.stringify({ markup }), size: 80, truncated: false }
    }
    const attempt = (attempt: number) => ({ attempt, startedAt: 1, endedAt: 2, state: "failed" as const, failure })
    const task = { id: "a", attempts: [attempt(1), attempt(2)], failure } as unknown as TaskDetail
    show(() => <Failures task={task} />)
    assert.isEmpty(all("img"))
    assert.notInclude(document.title, "owned")
    assert.include(find(".failure").textContent, "second line")
    assert.strictEqual(find(".stack .own b").textContent, markup)
    assert.isFalse((find(".stack details") as HTMLDetailsElement).open)
    assert.lengthOf(all(".attempt-error"), 1)
  })
})
