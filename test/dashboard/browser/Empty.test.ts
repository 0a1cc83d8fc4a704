/** A control plane on its first day: no worker, no task. Every page says what would be there, and how to get it. */
import type { Browser } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { executable } from "../../harness/Chromium.ts"
import { openShop, type Shop } from "./Shop.ts"
import { isAccessible, launch, overflow, visit } from "./Visit.ts"

let shop: Shop
let browser: Browser
beforeAll(async () => {
  if (executable === undefined) return
  ;[shop, browser] = await Promise.all([openShop({ workers: [] }), launch()])
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await shop?.[Symbol.asyncDispose]()
})

const pages: ReadonlyArray<readonly [string, string]> = [
  ["/", "No worker is connected"],
  ["/tasks", "No task"],
  ["/errors", "Nothing failed"],
  ["/workers", "fastworker worker --tasks tasks.ts"],
  ["/workers/gone", "gone is not here"],
  ["/schedules", "Task.cron("],
  ["/types", "Task.define("],
  ["/types/unknown", "No such task type"],
  ["/tasks/unknown", "not known"],
  ["/system", "There is none: what waits and runs is lost"]
]

describe.skipIf(executable === undefined)("on the first day the dashboard", () => {
  it("says on every page what would be there and how to get it", async () => {
    const { page, problems } = await visit(browser, shop.url, "/")
    for (const [path, text] of pages) {
      await page.goto(shop.url + path)
      await page.locator("body", { hasText: text }).waitFor().catch(() => assert.fail(`${path} does not say "${text}"`))
      await page.locator(".skeleton").first().waitFor({ state: "detached" })
      await isAccessible(page, path)
      await page.setViewportSize({ width: 390, height: 844 })
      assert.isAtMost(await overflow(page), 0, path)
      await page.setViewportSize({ width: 1440, height: 900 })
    }
    assert.deepStrictEqual(problems, [])
    await page.context().close()
  }, 90_000)

  it("asks nobody to type anything before it is there: the first worker shows up by itself", async () => {
    const { page } = await visit(browser, shop.url, "/workers")
    await page.getByText("No worker is connected").waitFor()
    await shop.startWorker("wkr-new")
    await page.getByRole("link", { name: "wkr-new" }).waitFor()
    await page.context().close()
  })
})
