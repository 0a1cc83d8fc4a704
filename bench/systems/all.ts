/** All systems that can be measured: ours first, then what people would pick instead, then the ceilings. */
import { bullmq } from "./bullmq/system.ts"
import { bunqueue } from "./bunqueue/system.ts"
import { fastworker } from "./fastworker/system.ts"
import { graphile } from "./graphile/system.ts"
import { nng } from "./nng/system.ts"
import { relay } from "./relay/system.ts"

export const peers = [bullmq, graphile, bunqueue]
export const ceilings = [nng, relay]
export const systems = [fastworker, ...peers, ...ceilings]
export { fastworker }
