/** The whole product without a mouse. */
import type { Browser, Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import type { TaskRow } from "../../../src/domain/View.ts"
import { executable } from "../../harness/Chromium.ts"
import { fillShop, openShop, type Shop } from "./Shop.ts"
import { isLive, launch, visit } from "./Visit.ts"

let shop: Shop
let browser: Browser
let page: Page
beforeAll(async () => {
  if (executable === undefined) return
  ;[shop, browser] = await Promise.all([openShop({ workers: [{ id: "wkr-1" }, { id: "wkr-2" }] }), launch()])
  await fillShop(shop)
  page = (await visit(browser, shop.url, "/")).page
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await shop?.[Symbol.asyncDispose]()
})

const press = async (...keys: ReadonlyArray<string>) => {
  for (const key of keys) await page.keyboard.press(key)
}
const isAt = (path: string) => page.waitForURL((url) => url.pathname === path)
const heading = (name: string) => page.getByRole("heading", { level: 1, name }).waitFor()
const focused = () => page.evaluate<string>("document.activeElement?.textContent ?? ''")

describe.skipIf(executable === undefined)("with the keyboard alone one can", () => {
  it("go to every page, and back to where help is", async () => {
    for (
      const [key, path, title] of [
        ["t", "/tasks", "Tasks"],
        ["e", "/errors", "Errors"],
        ["w", "/workers", "Workers"],
        ["s", "/schedules", "Schedules"],
        ["y", "/types", "Task types"],
        ["p", "/system", "System"],
        ["o", "/", "Overview"]
      ] as const
    ) {
      await press("g", key)
      await isAt(path)
      await heading(title)
    }
    await press("?")
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor()
    await press("Escape")
    await page.getByRole("dialog").waitFor({ state: "detached" })
  })

  it("find anything and go there", async () => {
    await press("Control+k")
    await page.getByRole("dialog", { name: "Find or run" }).waitFor()
    await page.keyboard.type("webhook.del")
    await page.getByRole("option", { name: /webhook\.deliver/u }).first().waitFor()
    await press("Enter")
    await isAt("/types/webhook.deliver")
  })

  it("open a worker from the list, hold it back and let it go on", async () => {
    await press("g", "w")
    await heading("Workers")
    await page.locator("[data-row]").first().waitFor()
    await press("j", "j")
    assert.strictEqual(await focused(), "wkr-2")
    await press("ArrowUp", "Enter")
    await isAt("/workers/wkr-1")
    await page.getByRole("button", { name: "Pause", exact: true }).focus()
    await press("Enter")
    await page.locator(".status", { hasText: "Paused" }).waitFor()
    await page.getByRole("button", { name: "Resume", exact: true }).first().focus()
    await press("Enter")
    await shop.until("it to be active", async () => (await shop.worker("wkr-1"))?.state === "active")
  })

  it("narrow a list, and get out of it again", async () => {
    await press("g", "y")
    await page.locator("[data-row]", { hasText: "cache.prune" }).waitFor()
    await press("/")
    await page.keyboard.type("video")
    await page.locator("[data-row]", { hasText: "cache.prune" }).waitFor({ state: "detached" })
    assert.strictEqual(await page.locator("[data-row]").count(), 1)
    await press("Escape")
    await page.locator("[data-row]", { hasText: "cache.prune" }).waitFor()
    await press("Escape", "g", "s")
    await heading("Schedules")
  })

  it("open a schedule and close it, with the focus where it was", async () => {
    await page.locator("[data-row]").first().waitFor()
    await press("j")
    const row = await focused()
    await press("Enter")
    await page.getByRole("dialog", { name: `Schedule ${row}` }).waitFor()
    await press("Escape")
    await page.getByRole("dialog").waitFor({ state: "detached" })
    await shop.until("the focus to be back", async () => (await focused()) === row)
  })

  it("run a task", async () => {
    await press("n")
    await page.getByRole("dialog", { name: "Run a task" }).waitFor()
    await page.keyboard.type("cache.prune")
    await page.getByText("Priority, delay, tags").waitFor()
    await press("Control+Enter")
    await page.locator(".toast", { hasText: "cache.prune is submitted." }).waitFor()
  })

  it("retry a task from the list", async () => {
    await page.goto(`${shop.url}/tasks?id=declined`)
    await isLive(page)
    await page.locator("[data-id=declined]").waitFor()
    await press("j", "r")
    await shop.until("its retry", async () => (await shop.task("declined")).retriedAs?.length === 1)
    const { tasks } = await shop.ask<{ readonly tasks: ReadonlyArray<TaskRow> }>("/tasks?type=billing.charge_invoice")
    assert.lengthOf(tasks, 3)
  })

  it("switch the theme, and switch single keys off", async () => {
    await page.goto(`${shop.url}/system`)
    await heading("System")
    await press("d")
    assert.strictEqual(await page.evaluate("document.documentElement.dataset.theme"), "dark")
    await page.getByRole("checkbox").focus()
    await press("Space", "d")
    assert.strictEqual(await page.evaluate("document.documentElement.dataset.theme"), "dark")
    await page.getByText("Off", { exact: true }).waitFor()
    await press("Space", "d")
    assert.strictEqual(await page.evaluate("document.documentElement.dataset.theme"), "light")
  })
})
