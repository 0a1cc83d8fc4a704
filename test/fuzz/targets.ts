/** All that is fuzzed, by name. */
import { target as envelope } from "./envelope.ts"
import type { Report, Target } from "./Fuzz.ts"
import { target as http } from "./http.ts"
import { target as journal } from "./journal.ts"
import { target as protocol } from "./protocol.ts"
import { target as taskFiles } from "./taskFiles.ts"

type Use = <A>(target: Target<A>) => Promise<Report>

export const targets = {
  envelope: (use: Use) => use(envelope),
  protocol: (use: Use) => use(protocol),
  http: (use: Use) => use(http),
  tasks: (use: Use) => use(taskFiles),
  journal: (use: Use) => use(journal)
}

export type TargetName = keyof typeof targets

export const names = Object.keys(targets) as ReadonlyArray<TargetName>

export const isTarget = (name: string): name is TargetName => name in targets
