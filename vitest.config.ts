import { playwright } from "@vitest/browser-playwright"
import solid from "vite-plugin-solid"
import { defineConfig } from "vitest/config"
import { executable, flags } from "./test/harness/Chromium.ts"

const components = "test/dashboard/components/**/*.test.tsx"

export default defineConfig({
  test: {
    // Two cores: more forks would only make the tests that start processes wait for one another.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts", "packages/node-nng/test/**/*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000
        }
      },
      // Components of the dashboard, in the browser of the system; where there is none they are not run.
      ...executable === undefined ? [] : [{
        plugins: [solid()],
        // Found at once instead of one after the other, which would load the page again.
        optimizeDeps: {
          include: ["solid-js", "solid-js/web", "solid-js/store"]
        },
        test: {
          name: "browser",
          include: [components],
          environment: "node" as const,
          testTimeout: 30_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { executablePath: executable, args: flags }
            }),
            instances: [{ browser: "chromium" as const }]
          }
        }
      }]
    ]
  }
})
