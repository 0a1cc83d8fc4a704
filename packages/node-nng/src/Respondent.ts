/** RESPONDENT: answers surveys. Source: nng src/sp/protocol/survey0/respond.c. */
import type { AnsweringOptions, Request } from "./Answering.ts"
import { AnsweringSocket } from "./Answering.ts"
import { protocols } from "./Wire.ts"

/** Options of a RESPONDENT socket. */
export interface RespondentOptions extends AnsweringOptions {}

/**
 * A socket that answers surveys, or leaves them: a surveyor takes what comes before its deadline. They come by `onSurvey`,
 * which is the fast way, by `receive`, or by iteration.
 */
export class Respondent extends AnsweringSocket {
  constructor(options: RespondentOptions = {}) {
    // Nothing is kept for a survey that is left, so any number may be.
    super(protocols.respondent, options, Infinity)
  }

  /** Calls `handler` with every survey from now on, synchronously as it arrives; those that wait come first. */
  onSurvey(handler: (survey: Request) => void): void {
    this.handle(handler)
  }
}
