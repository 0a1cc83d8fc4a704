/** What a tab shows while things change, while the control plane is away, and with many tabs open. */
import type { Browser } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import type { SystemView } from "../../../src/domain/View.ts"
import { executable } from "../../harness/Chromium.ts"
import { openShop, type Shop } from "./Shop.ts"
import { isAccessible, isLive, launch, visit } from "./Visit.ts"

let shop: Shop
let browser: Browser
beforeAll(async () => {
  if (executable === undefined) return
  ;[shop, browser] = await Promise.all([openShop(), launch()])
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await shop?.[Symbol.asyncDispose]()
})

const tabs = 9

describe.skipIf(executable === undefined)("a tab of the dashboard", () => {
  it("is one of nine that all are live, over a single stream", async () => {
    const { page } = await visit(browser, shop.url, "/tasks")
    const others = await Promise.all(Array.from({ length: tabs - 1 }, () => page.context().newPage()))
    for (const other of others) {
      await other.goto(`${shop.url}/tasks?type=email.send`)
      await isLive(other)
    }
    assert.strictEqual((await shop.ask<SystemView>("/system")).dashboards, 1)
    await shop.submit("media.transcode", { file: "a.mp4" }, { id: "seen-by-all" })
    await shop.submit("media.transcode", { file: "b.mp4" }, { id: "waits", in: 3_600_000 })
    for (const tab of [page, ...others]) {
      await tab.bringToFront()
      await tab.goto(`${shop.url}/tasks/seen-by-all`)
      await tab.locator(".status", { hasText: "Running" }).first().waitFor()
    }
    await shop.post("/tasks/seen-by-all/cancel")
    for (const tab of [page, ...others]) await tab.locator(".status", { hasText: "Cancelled" }).first().waitFor()
    await page.context().close()
  })

  it("shows everything else when the code of its charts does not come", async () => {
    const page = await browser.newPage()
    await page.route(/\/Plot-/u, (route) => route.abort())
    await page.goto(`${shop.url}/`)

    await page.locator("main .chart", { hasText: "could not be loaded: reload the page" }).first().waitFor()
    await page.locator("main").getByRole("button", { name: "Run a task" }).waitFor()
    assert.strictEqual(await page.getByText("This page failed").count(), 0)
    await page.close()
  })

  it("says that the control plane is gone, blocks what can't be done, and is back by itself when it is", async () => {
    const { page } = await visit(browser, shop.url, "/")
    await page.evaluate("window.isTheSamePage = true")
    const run = page.locator("main").getByRole("button", { name: "Run a task" })
    // Or the control plane is killed before it has served all of the page.
    await run.waitFor()
    await page.locator("main .plot").first().waitFor({ state: "attached" })
    shop.plane.signal("SIGKILL")
    await shop.plane.exit()
    await page.locator(".side .live", { hasText: "Reconnecting…" }).waitFor()
    await run.and(page.locator("[aria-disabled=true]")).waitFor()
    await page.locator(".notice", { hasText: "No connection to the control plane since" }).waitFor({ timeout: 40_000 })
    await page.getByText("This is how it was at").waitFor()
    await isAccessible(page, "without a connection")

    const again = await shop.restart()
    await page.getByRole("button", { name: "Try now" }).click({ timeout: 2_000 }).catch(() => {})
    await isLive(page)
    await page.locator(".notice").waitFor({ state: "detached" })
    await shop.until("the worker to be back", async () => (await shop.worker("wkr-1"))?.state === "active")
    const id = await shop.submit("media.transcode", { file: "b.mp4" })
    await page.locator("main").getByText(id.slice(0, 6), { exact: false }).first().waitFor()
    assert.isTrue(await page.evaluate("window.isTheSamePage"))
    assert.strictEqual(await run.getAttribute("aria-disabled"), null)

    // With the tab open: it ends, and soon.
    await shop.post(`/tasks/${id}/cancel`)
    await shop.until("nothing to run", async () => (await shop.stats()).running === 0)
    const before = performance.now()
    again.signal("SIGTERM")
    assert.strictEqual(await again.exit(), 0)
    assert.isBelow(performance.now() - before, 3_000)
    await page.context().close()
  }, 90_000)
})
