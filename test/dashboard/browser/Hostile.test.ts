/** Whatever tasks carry stays text: names, arguments, results, errors, stacks, ids, tags, schedules. */
import type { Browser } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { executable } from "../../harness/Chromium.ts"
import { attack, name } from "./hostile.ts"
import { hostileTasks, openShop, type Shop } from "./Shop.ts"
import { launch, visit } from "./Visit.ts"

const id = "<img/src=x/onerror=window.owned=1>"

let shop: Shop
let browser: Browser
beforeAll(async () => {
  if (executable === undefined) return
  ;[shop, browser] = await Promise.all([openShop({ workers: [{ id: "wkr-1", tasks: hostileTasks }] }), launch()])
  await shop.submit(name, { [attack]: attack, fails: false }, { id, tags: ["<i>tag"], tenant: "<u>tenant" })
  await shop.submit(name, { [attack]: attack, fails: true }, { id: "bad" })
  await shop.submit("throws", { [attack]: attack }, { id: "</script>throws" })
  await shop.submit(attack, [attack], { id: "nobody-knows" })
  await shop.until("their ends", async () => (await shop.stats()).failed === 2)
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await shop?.[Symbol.asyncDispose]()
})

const segment = encodeURIComponent

describe.skipIf(executable === undefined)("markup in tasks", () => {
  it("is shown as what it is, on every page", async () => {
    const { page, problems } = await visit(browser, shop.url, "/")
    const schedule = "<b onmouseover=window.owned=1>hourly"
    const paths: ReadonlyArray<readonly [string, string]> = [
      ["/", name],
      ["/tasks", name],
      [`/tasks?q=${segment(attack)}`, "onerror"],
      [`/tasks/${segment(id)}`, "<u>tenant"],
      ["/tasks/bad", "<svg/onload=window.owned=1>"],
      [`/tasks/${segment("</script>throws")}`, attack.slice(0, 18)],
      ["/tasks/nobody-knows", attack.slice(0, 18)],
      ["/errors", "<svg/onload=window.owned=1>"],
      ["/workers", "wkr-1"],
      ["/workers/wkr-1", name],
      [`/workers/${segment(attack)}`, "is not here"],
      ["/schedules", schedule],
      [`/schedules?schedule=${segment(schedule)}`, attack.slice(0, 18)],
      ["/types", name],
      [`/types/${segment(name)}`, attack.slice(0, 18)],
      [`/types/${segment(attack)}`, "worker"],
      ["/system?q=%3Cimg%20src%3Dx%20onerror%3Dwindow.owned%3D1%3E", "No setting matches"]
    ]
    for (const [path, text] of paths) {
      await page.goto(shop.url + path)
      await page.locator("body", { hasText: text }).waitFor().catch(() => assert.fail(`${path} does not show ${text}`))
      for (const tab of await page.getByRole("tab").all()) await tab.click()
      // Tips are text too.
      for (const tip of await page.locator("main [data-tip*='<']:visible").all()) await tip.hover({ force: true })
      const found = await page.evaluate(
        "[window.owned, document.querySelectorAll('img, iframe, svg[onload], body script').length]"
      )
      assert.deepStrictEqual(found, [undefined, 0], path)
    }
    assert.deepStrictEqual(problems, [])
    await page.context().close()
  }, 90_000)
})
