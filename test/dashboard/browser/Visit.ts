/** A visitor of the dashboard: a browser, its pages, and everything they complained about. */
import { AxeBuilder } from "@axe-core/playwright"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { chromium } from "playwright-core"
import { assert } from "vitest"
import { executable, flags } from "../../harness/Chromium.ts"

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: executable ?? "", args: flags })

/** Messages that say that a request was lost: it is, when a test ends the control plane. */
const isLost = (text: string) => /net::ERR_|Failed to load resource/u.test(text)

export interface Visitor {
  readonly page: Page
  /** Exceptions and errors in the console, and requests to elsewhere. */
  readonly problems: ReadonlyArray<string>
}

/** Opens a page of a tab of its own and waits until it is live. */
export const visit = async (
  browser: Browser,
  url: string,
  path: string,
  options: BrowserContextOptions = {}
): Promise<Visitor> => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const problems = watch(page, url)
  await page.goto(url + path)
  await isLive(page)
  return { page, problems }
}

/** Notes what a page complains about. */
export const watch = (page: Page, url: string): ReadonlyArray<string> => {
  const problems: Array<string> = []
  page.on("pageerror", (error) => problems.push(`${error.name}: ${error.message}`))
  page.on("console", (message) => {
    if (message.type() === "error" && !isLost(message.text())) problems.push(message.text())
  })
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) problems.push(`asks ${request.url()}`)
  })
  return problems
}

/** With time for a control plane that starts again on a busy machine. */
export const isLive = (page: Page) =>
  page.locator(".side .live[data-state=live]").waitFor({ state: "attached", timeout: 40_000 })

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

/** Nothing on the page shuts anybody out, as far as a machine can tell. */
export const isAccessible = async (page: Page, what: string, rules?: ReadonlyArray<string>): Promise<void> => {
  // In the page itself: there are no frames, for which it would open another page to sum up. What is right need not be told.
  const axe = new AxeBuilder({ page }).options({ resultTypes: ["violations"] }).setLegacyMode()
  const { violations } = await (rules === undefined ? axe.withTags(tags) : axe.withRules([...rules])).analyze()
  const found = violations.map(({ id, nodes }) =>
    `${id}: ${
      nodes.slice(0, 3).map(({ failureSummary, html }) => `${html.slice(0, 200)} ${failureSummary}`).join("\n  ")
    }`
  )
  assert.deepStrictEqual(found, [], what)
}

/** How much wider than the window it is: nobody should have to scroll to the side. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

/** How far what stands in an element reaches beyond it on the right: that would be cut off. */
export const reach = (page: Page, selector: string): Promise<number> =>
  page.evaluate(`(() => {
    const right = (element) => element.getBoundingClientRect().right
    const box = document.querySelector(${JSON.stringify(selector)})
    return Math.max(...[...box.querySelectorAll("*")].map(right)) - right(box)
  })()`)
