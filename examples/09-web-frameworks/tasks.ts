import { Effect } from "effect"
import { resize } from "./definitions.ts"

export default resize.toLayer(({ photo, width }) => Effect.succeed({ file: `${photo}-${width}.jpg` }))
