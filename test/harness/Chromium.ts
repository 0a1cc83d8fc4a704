/** The browser of the system, for tests in a real one: none is downloaded. Tests that need it are skipped where there is none. */
import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]

export const executable = (process.env["PATH"] ?? "").split(delimiter)
  .flatMap((folder) => names.map((name) => join(folder, name)))
  .find(existsSync)

export const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]
