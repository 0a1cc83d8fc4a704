/**
 * REP: answers requests, in any order. Source: nanomsg rfc/sp-request-reply-01, nng src/sp/protocol/reqrep0/rep.c.
 */
import type { AnsweringOptions, Request } from "./Answering.ts"
import { AnsweringSocket } from "./Answering.ts"
import { wholeNumber } from "./Options.ts"
import { protocols } from "./Wire.ts"

/** Options of a REP socket. */
export interface RepOptions extends AnsweringOptions {
  /**
   * Requests of one pipe that may be unanswered; past it the pipe is not read until replies go out. Default 1024. In nng
   * there is one for each context.
   */
  readonly maxOutstandingPerPipe?: number | undefined
  /** Bytes of them, so that large requests count for more. Default 64 MiB. Not in nng. */
  readonly maxOutstandingBytesPerPipe?: number | undefined
}

/**
 * A socket that answers requests. They come by `onRequest`, which is the fast way, by `receive`, or by iteration; until
 * somebody takes them they wait, up to a limit for each pipe past which that pipe is not read. All of them may come in the
 * same tick and be answered in any order.
 */
export class Rep extends AnsweringSocket {
  constructor(options: RepOptions = {}) {
    const limit = { fallback: 1024, least: 1 }
    super(
      protocols.rep,
      options,
      wholeNumber("maxOutstandingPerPipe", options.maxOutstandingPerPipe, limit),
      wholeNumber("maxOutstandingBytesPerPipe", options.maxOutstandingBytesPerPipe, {
        fallback: 64 * 1024 * 1024,
        least: 1
      })
    )
  }

  /** Calls `handler` with every request from now on, synchronously as it arrives; those that wait come first. */
  onRequest(handler: (request: Request) => void): void {
    this.handle(handler)
  }
}
