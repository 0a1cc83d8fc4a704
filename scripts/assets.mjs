// Copies what the compiler does not: the dashboard's files stand beside the compiled code, where the server reads them.
import { chmodSync, cpSync } from "node:fs"

cpSync("src/dashboard", "dist/dashboard", { recursive: true })
chmodSync("dist/bin.js", 0o755)
