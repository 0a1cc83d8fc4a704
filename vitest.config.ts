import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "packages/node-nng/test/**/*.test.ts"],
    // Two cores: more forks would only make the tests that start processes wait for one another.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000
  }
})
