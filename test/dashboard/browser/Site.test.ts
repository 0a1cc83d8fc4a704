/** The documentation in a real browser: readable by everybody, on any screen, in both themes. */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assert } from "vitest"
import { executable } from "../../harness/Chromium.ts"
import { startDashboard } from "../../harness/Dashboard.ts"
import { isAccessible, launch, overflow, watch } from "./Visit.ts"

/** Has lists, code and a table. To look through more takes long, and shows no other kind of element. */
const whole = "howto/timeouts.html"

/** With long tables and lines. */
const wide = ["", "comparison.html", "reference/promise.html", "reference/settings.html"]

const visitor = Effect.gen(function*() {
  const { origin } = yield* startDashboard()
  const browser = yield* Effect.acquireRelease(
    Effect.promise(launch),
    (browser) => Effect.promise(() => browser.close())
  )
  const page = yield* Effect.promise(() =>
    browser.newContext({ viewport: { width: 1440, height: 900 } }).then((context) => context.newPage())
  )
  return { origin, page, problems: watch(page, origin) }
})

describe.skipIf(executable === undefined)("the documentation", () => {
  it.live("shuts nobody out, in either theme, and fits a phone", () =>
    Effect.gen(function*() {
      const { origin, page, problems } = yield* visitor
      yield* Effect.promise(async () => {
        await page.goto(`${origin}/docs/${whole}`)
        await isAccessible(page, whole)
        await page.emulateMedia({ colorScheme: "dark" })
        await isAccessible(page, `${whole} in the dark`, ["color-contrast"])
        await page.setViewportSize({ width: 390, height: 844 })
        for (const path of [whole, ...wide]) {
          await page.goto(`${origin}/docs/${path}`)
          assert.isAtMost(await overflow(page), 0, path)
        }
      })
      assert.deepStrictEqual(problems, [])
    }), 60_000)

  it.live(
    "is read from page to page without a script, and in the theme that the dashboard was given",
    () =>
      Effect.gen(function*() {
        const { origin, page } = yield* visitor
        yield* Effect.promise(async () => {
          await page.goto(`${origin}/docs`)
          await page.getByRole("link", { name: /^Next/u }).click()
          await page.getByRole("heading", { name: "Tutorial", level: 1 }).waitFor()
          await page.getByRole("navigation", { name: "Contents" }).getByRole("link", { name: "Retry a failing task" })
            .click()
          await page.getByRole("heading", { name: "How to retry a failing task" }).waitFor()
          await page.getByRole("link", { name: "run a task once" }).first().click()
          await page.getByRole("heading", { name: "How to run a task once" }).waitFor()

          await page.setViewportSize({ width: 390, height: 844 })
          await page.getByRole("link", { name: "Contents" }).click()
          assert.isTrue(await page.getByRole("heading", { name: "Understand it" }).isVisible())

          const canvas = () => page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
          const light = await canvas()
          await page.evaluate("localStorage.setItem('fastworker.theme', 'dark')")
          await page.reload()
          assert.notStrictEqual(await canvas(), light)
        })
      }),
    30_000
  )
})
