/**
 * Writes pictures of every page, in both themes and as on a phone, for people to look at: `npm run screenshots -- FOLDER`.
 * The control plane, its workers and their tasks are real.
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Browser } from "playwright-core"
import { executable } from "../../harness/Chromium.ts"
import { openShop, type Shop } from "./Shop.ts"
import { launch, visit } from "./Visit.ts"

const [folder = "screenshots"] = process.argv.slice(2)
/** How long the shop works before pictures are taken, and how often it gets tasks: until the last one is. */
const workMillis = 45_000
const everyMillis = 500

const pages: ReadonlyArray<readonly [string, string]> = [
  ["overview", "/"],
  ["tasks", "/tasks"],
  ["tasks-failed", "/tasks?state=failed"],
  ["task-failed", "/tasks/failed-1"],
  ["task-running", "/tasks/clip-1"],
  ["task-waiting", "/tasks/later"],
  ["errors", "/errors"],
  ["workers", "/workers"],
  ["worker", "/workers/wkr-fra-01"],
  ["worker-lost", "/workers/wkr-lon-01"],
  ["schedules", "/schedules"],
  ["schedule", "/schedules?schedule=cache-prune"],
  ["types", "/types"],
  ["type", "/types/webhook.deliver"],
  ["system", "/system"]
]

const kinds = [
  { name: "light", width: 1_440, height: 900, colorScheme: "light" },
  { name: "dark", width: 1_440, height: 900, colorScheme: "dark" },
  { name: "phone", width: 390, height: 844, colorScheme: "light" }
] as const

const spread = (from: number, to: number) => Math.round(from + Math.random() * (to - from))

/** One turn of a busy day: more of the common, some of the slow, a few that fail. */
const turn = async (shop: Shop, number: number) => {
  const send = (name: string, args: unknown, more?: Readonly<Record<string, unknown>>) => shop.submit(name, args, more)
  await Promise.all([
    ...[0, 1, 2].map((place) =>
      send("email.send", { to: `p${number}.${place}@example.com`, template: "invoice", millis: spread(40, 600) })
    ),
    ...[0, 1].map((place) =>
      send("webhook.deliver", {
        endpoint: number % 9 === place ? "https://down.example/hook" : "https://partner.example/hook",
        event: { id: `evt_${number}${place}`, type: "order.paid" },
        millis: spread(200, 3_000)
      })
    ),
    send("billing.charge_invoice", {
      invoice: `INV-${1_000 + number}`,
      cents: number % 11 === 0 ? -1 : 4_900,
      millis: spread(100, 900)
    }),
    ...number % 4 === 0 ? [send("media.transcode", { file: `clip-${number}.mp4`, millis: spread(4_000, 15_000) })] : []
  ])
}

const work = async (shop: Shop, isOver: () => boolean) => {
  await shop.submit("billing.charge_invoice", { invoice: "INV-1", cents: -1 }, { id: "failed-1" })
  await shop.submit("media.transcode", { file: "keynote.mp4" }, { id: "clip-1" })
  await shop.submit("email.send", { to: "later@example.com", template: "reminder" }, { id: "later", in: 5_400_000 })
  for (let number = 0; !isOver(); number++) {
    await turn(shop, number)
    await new Promise((resolve) => setTimeout(resolve, everyMillis))
    if (number === 40) shop.workers[3]?.signal("SIGKILL")
    if (number === 50) await shop.post("/pause", { worker: "wkr-ams-01" })
  }
}

const take = async (browser: Browser, shop: Shop) => {
  for (const { colorScheme, height, name, width } of kinds) {
    for (const [file, path] of pages) {
      const { page } = await visit(browser, shop.url, path, { viewport: { width, height }, colorScheme })
      await page.locator(".skeleton").first().waitFor({ state: "detached" })
      await page.evaluate("document.fonts.ready")
      // The picture is taken when nothing is drawn any more.
      await page.waitForLoadState("networkidle", { timeout: 1_000 }).catch(() => {})
      await page.screenshot({ path: join(folder, `${file}-${name}.png`), fullPage: name === "phone" })
      await page.context().close()
    }
  }
}

if (executable === undefined) {
  console.error("There is no Chromium on the PATH: install one, for example with apt-get install chromium.")
  process.exitCode = 1
} else {
  mkdirSync(folder, { recursive: true })
  await using shop = await openShop({
    namespace: "orders-production",
    workers: [
      { id: "wkr-fra-01", slots: 12 },
      { id: "wkr-fra-02", slots: 8 },
      { id: "wkr-ams-01", slots: 8 },
      { id: "wkr-lon-01", slots: 6 }
    ]
  })
  const browser = await launch()
  try {
    console.log(`The shop works for ${workMillis / 1_000} seconds.`)
    let isOver = false
    const working = work(shop, () => isOver)
    await Promise.race([working, new Promise((resolve) => setTimeout(resolve, workMillis))])
    await take(browser, shop)
    isOver = true
    await working
    console.log(`${kinds.length * pages.length} pictures are in ${folder}.`)
  } finally {
    await browser.close()
  }
}
