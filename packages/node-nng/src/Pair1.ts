/** PAIR version 1, which counts hops so that devices cannot loop. Source: nng src/sp/protocol/pair1/pair.c. */
import { hopsOf } from "./Headers.ts"
import type { MaxTtlOptions } from "./Options.ts"
import { maxTtlOf } from "./Options.ts"
import type { PairOptions } from "./Pair.ts"
import { PairSocket } from "./Pair.ts"
import { protocols } from "./Wire.ts"

/** Options of a PAIR socket of version 1. */
export interface Pair1Options extends PairOptions, MaxTtlOptions {}

/** A PAIR socket of version 1; it does not talk with version 0. The polyamorous mode of nng is left out. */
export class Pair1 extends PairSocket {
  constructor(options: Pair1Options = {}) {
    const maxTtl = maxTtlOf(options)
    super(protocols.pair1, options, {
      header: 1,
      bodyAt: (pipe, bytes, start, end) => hopsOf(pipe, bytes, { start, end, maxTtl }) < 0 ? -1 : start + 4
    })
  }
}
