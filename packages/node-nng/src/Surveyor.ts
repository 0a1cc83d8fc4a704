/**
 * SURVEYOR: asks all its peers and takes the responses that come in time. Source: nng src/sp/protocol/survey0/survey.c;
 * every survey is what nng calls a context.
 */
import { Deadlines } from "./Deadlines.ts"
import type { NngError } from "./Errors.ts"
import { answerId } from "./Headers.ts"
import { Ids } from "./Ids.ts"
import type { BufferLimits, ReceiveBufferOptions, SendBufferOptions, SocketOptions } from "./Options.ts"
import { keptBeforeDropping, receiveBufferOf, sendBufferOf, wholeNumber } from "./Options.ts"
import { Broadcast } from "./Outbox.ts"
import type { Payload } from "./Payload.ts"
import type { LivePipe, PipeHandler } from "./Pipe.ts"
import { Socket } from "./Socket.ts"
import { Survey } from "./Survey.ts"
import { canceled } from "./Wait.ts"
import { protocols } from "./Wire.ts"

/**
 * Options of a SURVEYOR socket: `sendBufferMessages` is for each peer, default 128 (8 in nng); the receive buffer is for
 * each survey, default 8192 messages (128 in nng) and 16 MiB.
 */
export interface SurveyorOptions extends SocketOptions, SendBufferOptions, ReceiveBufferOptions {
  /** Time for which responses to a survey count, milliseconds. Default 1_000. Source: NNG_OPT_SURVEYOR_SURVEYTIME. */
  readonly surveyMillis?: number | undefined
}

/** Options of one survey. */
export interface AskOptions {
  /** As `SurveyorOptions.surveyMillis`, for this survey. */
  readonly surveyMillis?: number | undefined
  /** Cancels the survey. */
  readonly signal?: AbortSignal | undefined
}

/**
 * A socket that asks all its peers at once. Any number of surveys may be open, each with a deadline and responses of its
 * own; in nng that takes a context each. Sending never waits: a peer that does not keep up misses the survey, counted as
 * `sendBufferFull`, and without peers there are no responses.
 *
 * **Gotchas** Bytes go by reference: do not change them after sending.
 */
export class Surveyor extends Socket {
  readonly #surveyMillis: number
  readonly #limits: BufferLimits
  readonly #peers: Broadcast
  readonly #surveys = new Ids<Survey>()
  readonly #deadlines = new Deadlines<Survey>((survey) => survey.expire())

  constructor(options: SurveyorOptions = {}) {
    super(protocols.surveyor, options)
    this.#surveyMillis = wholeNumber("surveyMillis", options.surveyMillis, { fallback: 1_000, least: 1 })
    this.#limits = receiveBufferOf(options, keptBeforeDropping)
    this.#peers = new Broadcast({ limits: sendBufferOf(options, 128), drops: "newest" })
  }

  /** Surveys that are not over. */
  get outstanding(): number {
    return this.#surveys.size
  }

  /** Sends a survey to all peers there are. Throws ECLOSED on a closed socket, ECANCELED with an aborted signal. */
  survey(payload: Payload, options: AskOptions = {}): Survey {
    this.checkOpen()
    const { signal } = options
    if (signal?.aborted === true) throw canceled("the survey", signal)
    const millis = wholeNumber("surveyMillis", options.surveyMillis, { fallback: this.#surveyMillis, least: 1 })
    const survey = new Survey({
      id: this.#surveys.take(),
      dueAt: performance.now() + millis,
      limits: this.#limits,
      signal,
      onEnd: (ended) => {
        this.#surveys.delete(ended.id)
        this.#deadlines.remove(ended)
      }
    })
    this.#surveys.set(survey)
    this.#deadlines.add(survey)
    this.#peers.send(survey.id, payload)
    return survey
  }

  protected override attach(pipe: LivePipe): PipeHandler {
    const outbox = this.#peers.add(pipe)
    return {
      frame: (bytes, start, end) => this.#onResponse(pipe, bytes, start, end),
      drained: () => outbox.drained(),
      closed: () => this.#peers.remove(pipe)
    }
  }

  protected override shut(error: NngError): void {
    this.#peers.flush()
    for (const survey of this.#surveys.all()) survey.end(error)
    this.#deadlines.clear()
  }

  #onResponse(pipe: LivePipe, bytes: Uint8Array, start: number, end: number): void {
    const id = answerId(pipe, bytes, start, end)
    if (id === 0) return
    const survey = this.#surveys.get(id)
    if (survey === undefined) pipe.drop("noMatch")
    else survey.put(pipe, bytes, start + 4, end)
  }
}
