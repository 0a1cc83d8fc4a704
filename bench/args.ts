/** The arguments of the work that is measured, validated on both sides by each system. */
import { Schema } from "effect"

export const args = { x: Schema.Int, y: Schema.Int }
