/** PAIR version 0, which nanomsg has as well. Source: nng src/sp/protocol/pair0/pair.c. */
import type { PairOptions } from "./Pair.ts"
import { PairSocket } from "./Pair.ts"
import { protocols } from "./Wire.ts"

/** A PAIR socket of version 0; it does not talk with version 1. */
export class Pair0 extends PairSocket {
  constructor(options: PairOptions = {}) {
    super(protocols.pair0, options, { header: null, bodyAt: (_pipe, _bytes, start) => start })
  }
}
