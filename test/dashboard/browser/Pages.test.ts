/** Every page in a real browser, with real processes behind it: what it shows, for whom, and on what screen. */
import type { Browser } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import type { ScheduleRow, SystemView, TypeDetail, WorkerRow } from "../../../src/domain/View.ts"
import { executable } from "../../harness/Chromium.ts"
import { fillShop, openShop, type Shop } from "./Shop.ts"
import { isAccessible, launch, overflow, reach, visit } from "./Visit.ts"

let shop: Shop
let browser: Browser
beforeAll(async () => {
  if (executable === undefined) return
  ;[shop, browser] = await Promise.all([openShop({ workers: [{ id: "wkr-1" }, { id: "wkr-2" }] }), launch()])
  await fillShop(shop)
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await shop?.[Symbol.asyncDispose]()
})

interface Case {
  readonly name: string
  readonly path: string
  /** What must be there when its data is. */
  readonly shows: () => Promise<ReadonlyArray<string>> | ReadonlyArray<string>
}

const cases: ReadonlyArray<Case> = [
  { name: "Overview", path: "/", shows: () => ["Waiting", "Running", "wkr-1", "PaymentDeclined", "cache.prune"] },
  { name: "Tasks", path: "/tasks", shows: () => ["media.transcode", "billing.charge_invoice", "Succeeded"] },
  {
    name: "a failed task",
    path: "/tasks/timeout",
    shows: () => ["webhook.deliver", "The endpoint did not answer event e-1", "PartnerTimeout"]
  },
  { name: "a running task", path: "/tasks/clip", shows: () => ["media.transcode", "Running", "Cancel"] },
  { name: "a task for later", path: "/tasks/later", shows: () => ["email.send", "Why is it waiting?"] },
  { name: "Errors", path: "/errors", shows: () => ["PaymentDeclined", "PartnerTimeout", "billing.charge_invoice"] },
  {
    name: "Workers",
    path: "/workers",
    shows: async () => {
      const { workers } = await shop.ask<{ readonly workers: ReadonlyArray<WorkerRow> }>("/workers")
      return workers.flatMap(({ id, version = "" }) => [id, version, "Active"])
    }
  },
  {
    name: "a worker",
    path: "/workers/wkr-1",
    shows: async () => {
      const worker = await shop.worker("wkr-1")
      return [`${worker?.pid}`, worker?.host ?? "", "Event-loop lag", "email.send", "wkr-1 joined"]
    }
  },
  {
    name: "Schedules",
    path: "/schedules",
    shows: async () => {
      const { schedules } = await shop.ask<{ readonly schedules: ReadonlyArray<ScheduleRow> }>("/schedules")
      return schedules.flatMap(({ id, name, words }) => [id, name, words])
    }
  },
  {
    name: "a schedule",
    path: "/schedules?schedule=reminders",
    shows: () => ["Of the times that passed while nothing ran, the last is made up for", "team@example.com"]
  },
  {
    name: "Task types",
    path: "/types",
    shows: () => ["email.send", "Sends one mail from a template", "billing.charge_invoice"]
  },
  {
    name: "a task type",
    path: "/types/webhook.deliver",
    shows: async () => {
      const type = await shop.ask<TypeDetail>("/types/webhook.deliver")
      return [type.retry ?? "", "30 s for an attempt", "endpoint", "PartnerTimeout", "wkr-2"]
    }
  },
  {
    name: "System",
    path: "/system",
    shows: async () => {
      const system = await shop.ask<SystemView>("/system")
      return [system.epoch, system.addresses.workers, `process ${system.process.pid}`, "100,000", "wkr-2 joined"]
    }
  },
  { name: "an address that leads nowhere", path: "/nowhere.html", shows: () => ["There is no such page"] }
]

describe.skipIf(executable === undefined)("the dashboard in Chromium", () => {
  for (const { name, path, shows } of cases) {
    it(`shows ${name}: with live data, in both themes, for everybody, on small screens, without a complaint`, async () => {
      const { page, problems } = await visit(browser, shop.url, path)
      for (const text of await shows()) await page.locator("body", { hasText: text }).waitFor()
      await page.locator(".skeleton").first().waitFor({ state: "detached" })
      await isAccessible(page, `${name} in the light`)
      await page.emulateMedia({ colorScheme: "dark" })
      await isAccessible(page, `${name} in the dark`, ["color-contrast"])
      for (const width of [1_000, 720, 390, 320]) {
        await page.setViewportSize({ width, height: 800 })
        assert.isAtMost(await overflow(page), 0, `${name} at ${width} pixels`)
      }
      assert.deepStrictEqual(problems, [])
      await page.context().close()
    })
  }

  it("shows all of what waits, runs and has finished, however wide the screen is", async () => {
    const { page } = await visit(browser, shop.url, "/")
    await page.locator(".flow .outcome").first().waitFor()
    for (const width of [1_600, 1_440, 1_366, 1_280, 1_279, 1_200, 1_024, 800, 390]) {
      await page.setViewportSize({ width, height: 900 })
      assert.isAtMost(await reach(page, ".flow"), 0.5, `at ${width} pixels`)
    }
    await page.context().close()
  })

  it("asks and helps in dialogs that shut nobody out", async () => {
    const { page } = await visit(browser, shop.url, "/types/email.send")
    const dialogs: ReadonlyArray<readonly [string, () => Promise<void>]> = [
      ["Run a task", () => page.getByRole("button", { name: "Run a task" }).click()],
      ["Find or run", () => page.keyboard.press("Control+k")],
      ["Keyboard shortcuts", () => page.keyboard.press("?")],
      ["Pause dispatch?", () => page.keyboard.press("Shift+P")]
    ]
    for (const [name, open] of dialogs) {
      await open()
      const dialog = page.getByRole("dialog", { name })
      await dialog.waitFor()
      await page.locator(".skeleton").first().waitFor({ state: "detached" })
      await isAccessible(page, name)
      await page.emulateMedia({ colorScheme: "dark" })
      await isAccessible(page, `${name} in the dark`, ["color-contrast"])
      await page.emulateMedia({ colorScheme: "light" })
      await page.keyboard.press("Escape")
      await dialog.waitFor({ state: "detached" })
    }
    await page.context().close()
  })

  it("shows the numbers that the API says, and goes on doing so as they change", async () => {
    const { page } = await visit(browser, shop.url, "/types/email.send")
    const waiting = page.locator(".figures > div", { hasText: "Waiting" })
    const { delayed } = await shop.ask<TypeDetail>("/types/email.send")
    await waiting.filter({ hasText: `${delayed} for later` }).waitFor()
    await shop.submit("email.send", { to: "a@example.com", template: "invoice" }, { id: "another", in: 600_000 })
    await waiting.filter({ hasText: `${delayed + 1} for later` }).waitFor()
    await shop.post("/tasks/another/cancel")
    await waiting.filter({ hasText: `${delayed} for later` }).waitFor()
    await page.context().close()
  })
})
