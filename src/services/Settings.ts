/**
 * The settings of this process.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { Settings as Values } from "../domain/Settings.ts"
import { defaults } from "../domain/Settings.ts"

/**
 * Service that holds the settings; the defaults when none are provided.
 *
 * @category services
 * @since 0.1.0
 */
export class Settings extends Context.Reference<Values>("fastworker/services/Settings", {
  defaultValue: () => defaults
}) {}
