#!/usr/bin/env node
/**
 * The entry of the `fastworker` command. What it imports is compiled once and kept by Node (in the temporary folder of the
 * system, or where `NODE_COMPILE_CACHE` says): a command starts in two thirds of the time.
 *
 * @since 0.1.0
 */
import { enableCompileCache } from "node:module"

enableCompileCache()
await import("./cli/main.ts")
