/** What people do in the dashboard, and what the control plane then says of it. */
import type { Browser, Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import type { ScheduleRow, TaskRow, TypeRow } from "../../../src/domain/View.ts"
import { executable } from "../../harness/Chromium.ts"
import { openShop, type Shop } from "./Shop.ts"
import { isLive, launch, visit, type Visitor } from "./Visit.ts"

let shop: Shop
let browser: Browser
let visitor: Visitor
let page: Page
beforeAll(async () => {
  if (executable === undefined) return
  ;[shop, browser] = await Promise.all([openShop({ workers: [{ id: "wkr-1" }, { id: "wkr-2" }] }), launch()])
  visitor = await visit(browser, shop.url, "/")
  page = visitor.page
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await shop?.[Symbol.asyncDispose]()
})

const open = async (path: string) => {
  await page.goto(shop.url + path)
  await isLive(page)
}
const click = (name: string | RegExp) =>
  page.getByRole("button", { name, exact: typeof name === "string" }).first().click()
/** The answer in the dialog that asks. */
const confirm = (name: string | RegExp) =>
  page.getByRole("dialog").getByRole("button", { name, exact: typeof name === "string" }).click()
const says = (text: string | RegExp) => page.locator(".toast", { hasText: text }).first().waitFor()
const menu = async (label: string, item: string) => {
  await page.getByRole("button", { name: label, exact: true }).click()
  await page.getByRole("menuitem", { name: item }).click()
}
const isState = (id: string, state: string) =>
  shop.until(`${id} to be ${state}`, async () => (await shop.task(id)).state === state)
const tasksOf = async (query: string) =>
  (await shop.ask<{ readonly tasks: ReadonlyArray<TaskRow> }>(`/tasks?${query}`)).tasks
const paused = async () => (await shop.stats()).paused
const declined = (id: string) => shop.submit("billing.charge_invoice", { invoice: id, cents: -1 }, { id })

describe.skipIf(executable === undefined)("in the dashboard one can", () => {
  it("run a task from the form that its schema makes", async () => {
    await open("/types/email.send")
    await click("Run a task")
    const dialog = page.getByRole("dialog")
    await dialog.getByLabel("to", { exact: false }).first().fill("form@example.com")
    await dialog.getByLabel("template", { exact: false }).first().selectOption({ label: "reminder" })
    await confirm("Run")
    await says("email.send is submitted.")
    const [task] = await tasksOf("type=email.send&sort=newest&limit=1")
    assert.deepStrictEqual(JSON.parse((await shop.task(task?.id ?? "")).args?.text ?? ""), {
      to: "form@example.com",
      template: "reminder"
    })
  })

  it("retry a task that failed, and cancel one that runs", async () => {
    await declined("no-1")
    await isState("no-1", "failed")
    await open("/tasks/no-1")
    await click("Retry")
    await shop.until("its retry", async () => ((await shop.task("no-1")).retriedAs?.length ?? 0) === 1)

    await shop.submit("media.transcode", { file: "a.mp4" }, { id: "endless" })
    await isState("endless", "running")
    await open("/tasks/endless")
    await click("Cancel")
    await isState("endless", "cancelled")
    await page.locator(".status", { hasText: "Cancelled" }).first().waitFor()
  })

  it("give tasks another priority, one and many", async () => {
    const ids = ["later-1", "later-2", "later-3"]
    for (const id of ids) {
      await shop.post("/tasks", {
        id,
        name: "email.send",
        args: JSON.stringify({ to: `${id}@example.com`, template: "welcome" }),
        in: 3_600_000
      })
    }
    const has = (id: string, priority: string) =>
      shop.until(`${id} to be ${priority}`, async () => (await shop.task(id)).priority === priority)
    await open("/tasks/later-1")
    await click("Priority")
    await page.getByRole("menuitemradio", { name: "Critical" }).click()
    await says("Given priority critical.")
    await has("later-1", "critical")

    await open("/tasks?id=later-")
    await page.locator("[data-id=later-3]").waitFor()
    await page.keyboard.press("j")
    await page.keyboard.press("Control+a")
    await page.getByRole("toolbar", { name: "Selected tasks" }).getByRole("button", { name: "Priority" }).click()
    await page.getByRole("menuitem", { name: "Low" }).click()
    await page.getByRole("dialog").getByText("Prioritize 3 tasks as low?").waitFor()
    await confirm(/^Prioritize 3/u)
    await says("3 given priority low.")
    for (const id of ids) await has(id, "low")
  })

  it("run a task again with other arguments", async () => {
    await shop.submit("email.send", { to: "first@example.com", template: "welcome" }, { id: "again" })
    await isState("again", "succeeded")
    await open("/tasks/again")
    await click("Run again…")
    const to = page.getByRole("dialog").getByLabel("to", { exact: false }).first()
    assert.strictEqual(await to.inputValue(), "first@example.com")
    await to.fill("second@example.com")
    await confirm("Run")
    await says("is submitted.")
    const [task] = await tasksOf("type=email.send&sort=newest&limit=1")
    assert.include((await shop.task(task?.id ?? "")).args?.text, "second@example.com")
  })

  it("select tasks and retry them together, as many as were seen", async () => {
    await Promise.all(["many-1", "many-2", "many-3"].map(declined))
    for (const id of ["many-1", "many-2", "many-3"]) await isState(id, "failed")
    await open("/tasks?state=failed&id=many-")
    await page.locator("[data-id=many-3]").waitFor()
    await page.keyboard.press("j")
    await page.keyboard.press("Control+a")
    await page.getByRole("toolbar", { name: "Selected tasks" }).getByRole("button", { name: "Retry 3" }).click()
    await confirm(/^Retry 3/u)
    for (const id of ["many-1", "many-2", "many-3"]) {
      await shop.until(`the retry of ${id}`, async () => (await shop.task(id)).retriedAs?.length === 1)
    }
  })

  it("retry all that failed alike", async () => {
    await declined("alike")
    await isState("alike", "failed")
    await open("/errors")
    await page.getByRole("button", { name: /^Retry \d+ tasks? that failed with PaymentDeclined/u }).click()
    const dialog = page.getByRole("dialog").getByRole("button", { name: /^Retry/u })
    await Promise.race([dialog.click(), says(/retried/u)])
    await shop.until("its retry", async () => (await shop.task("alike")).retriedAs?.length === 1)
  })

  it("pause dispatch, a task type, a worker and a schedule, and let them go on", async () => {
    await open("/")
    await click("Pause dispatch")
    await confirm("Pause dispatch")
    await shop.until("the pause", async () => (await paused()).includes("all"))
    await click("Resume dispatch")
    await shop.until("its end", async () => (await paused()).length === 0)

    await open("/types/email.send")
    await click("Pause")
    await page.locator(".tag", { hasText: "Paused" }).waitFor()
    const { types } = await shop.ask<{ readonly types: ReadonlyArray<TypeRow> }>("/types")
    assert.deepStrictEqual(types.filter(({ paused }) => paused).map(({ name }) => name), ["email.send"])
    await click("Resume")
    await shop.until("its end", async () => (await paused()).length === 0)

    await open("/workers")
    await menu("Actions for wkr-2", "Pause")
    await page.locator("tr", { hasText: "wkr-2" }).locator(".status", { hasText: "Paused" }).waitFor()
    assert.strictEqual((await shop.worker("wkr-2"))?.state, "paused")
    await click("Resume")
    await shop.until("it to be active", async () => (await shop.worker("wkr-2"))?.state === "active")

    await open("/schedules")
    await menu("Actions for nightly-rollup", "Pause")
    await page.locator("tr", { hasText: "nightly-rollup" }).locator(".tag", { hasText: "Paused" }).waitFor()
    await menu("Actions for nightly-rollup", "Resume")
    await shop.until("its end", async () => !(await schedule("nightly-rollup"))?.paused)
  })

  it("run a schedule now, look at it, and remove it", async () => {
    await open("/schedules")
    await click("Run now: nightly-rollup")
    await shop.until("its task", async () => (await schedule("nightly-rollup"))?.runs.length === 1)
    await page.getByRole("listbox", { name: "Last 1: 1 succeeded" }).waitFor()
    await page.locator("[data-row]", { hasText: "nightly-rollup" }).click()
    await page.getByRole("dialog", { name: "Schedule nightly-rollup" }).getByText("Every day at 02:00").waitFor()
    await click("Remove…")
    await confirm("Remove")
    await shop.until("its end", async () => (await schedule("nightly-rollup")) === undefined)
    await page.locator("tr", { hasText: "nightly-rollup" }).waitFor({ state: "detached" })
  })

  it("send a worker away when it has finished", async () => {
    await open("/workers/wkr-2")
    await click("Drain")
    await confirm("Drain")
    await shop.until("it to leave", async () => (await shop.worker("wkr-2")) === undefined)
    assert.strictEqual(await shop.workers[1]?.exit(), 0)
    await page.getByText("wkr-2 is not here").waitFor()
  })

  it("do all of this without a complaint of the page", () => assert.deepStrictEqual(visitor.problems, []))
})

const schedule = async (id: string) =>
  (await shop.ask<{ readonly schedules: ReadonlyArray<ScheduleRow> }>("/schedules")).schedules.find((row) =>
    row.id === id
  )
