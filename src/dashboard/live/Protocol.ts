/** What the shared worker and the tabs say to each other. */
import type { Frame, Snapshot } from "../../domain/View.ts"
import type { Connection } from "./Stream.ts"

export type ToWorker =
  | { readonly type: "hello"; readonly base: string }
  | { readonly type: "retry" }
  | { readonly type: "bye" }

export type ToTab =
  | { readonly type: "snapshot"; readonly snapshot: Snapshot }
  | { readonly type: "frame"; readonly frame: Frame }
  | { readonly type: "connection"; readonly connection: Connection }
