/**
 * Calls of a client: requests to the control plane that discovery finds. A call made before there is one waits for it, and
 * one that is on its way is sent again when the control plane is found at another address; each has a deadline.
 *
 * Owns the connection. What is asked and answered is the caller's business.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { AddressError, CallError, ReplyError } from "../domain/Errors.ts"
import { BadRequest, ProtocolMismatch, Unauthorized, Unreachable } from "../domain/Errors.ts"
import { IdMap } from "../domain/IdMap.ts"
import type { Announcement } from "../domain/Message.ts"
import { protocolVersion as v } from "../domain/Message.ts"
import { Discovery } from "../services/Discovery.ts"
import { Settings } from "../services/Settings.ts"
import type { Connection, Payload } from "../services/Transport.ts"
import { Transport } from "../services/Transport.ts"
import * as Envelope from "./Envelope.ts"
import type { Decoder, Reply } from "./Reply.ts"

/**
 * The calls of one client.
 *
 * @category models
 * @since 0.1.0
 */
export interface Calls {
  /**
   * Sends a request that the control plane may answer only after `waitMillis`. `done` is called once, with the answer or
   * with why there is none. Returns how to give the request up: then `done` is not called.
   */
  readonly send: <H>(
    payload: Payload,
    decode: Decoder<H>,
    waitMillis: number,
    done: (reply: Result.Result<Reply<H>, ReplyError | CallError>) => void
  ) => () => void
  /** Sends a header and succeeds with the header of the answer, which may come only after `waitMillis`. Default: 0. */
  readonly ask: <H>(header: object, decode: Decoder<H>, waitMillis?: number) => Effect.Effect<H, ReplyError | CallError>
  /** Whether the scope has closed: every call fails at once. */
  readonly isClosed: () => boolean
}

const nothing = () => {}

/** A request on its way. A class for the reason that `ClientResults.ts` gives. */
class Call {
  readonly id: number
  readonly payload: Payload
  readonly waitMillis: number
  readonly done: (failure: CallError | undefined, reply: Uint8Array) => void
  cancel: () => void = nothing

  constructor(
    id: number,
    payload: Payload,
    waitMillis: number,
    done: (failure: CallError | undefined, reply: Uint8Array) => void
  ) {
    this.id = id
    this.payload = payload
    this.waitMillis = waitMillis
    this.done = done
  }
}

const noBytes = new Uint8Array(0)

/**
 * Returns an error that a call may end with; any other answer is not of the protocol.
 *
 * @category errors
 * @since 0.1.0
 */
export const callError = (error: ReplyError | CallError): CallError =>
  error instanceof BadRequest || error instanceof ProtocolMismatch || error instanceof Unauthorized ||
    error instanceof Unreachable
    ? error
    : new BadRequest({ reason: `unexpected answer ${error._tag}: ${error.message}` })

/**
 * Returns an error if it is of one of these classes; any other as {@link callError}.
 *
 * @category errors
 * @since 0.1.0
 */
export const only =
  <Classes extends ReadonlyArray<abstract new(...args: ReadonlyArray<never>) => ReplyError>>(...classes: Classes) =>
  (error: ReplyError | CallError): InstanceType<Classes[number]> | CallError =>
    classes.some((expected) => error instanceof expected)
      ? error as InstanceType<Classes[number]>
      : callError(error)

/**
 * Creates the calls of a client, until the scope closes; calls that are on their way then fail.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeCalls: Effect.Effect<Calls, AddressError, Transport | Discovery | Scope.Scope> = Effect.gen(
  function*() {
    const settings = yield* Settings
    const transport = yield* Transport
    const discovery = yield* Discovery
    const runFork = Effect.runForkWith(yield* Effect.context())

    const calls = new IdMap<Call>()
    let connection: Connection | undefined
    let connectionScope: Scope.Closeable | undefined
    /** Calls so far. */
    let sent = 0
    let isClosed = false
    /** Only control planes that speak other versions have announced themselves of late. */
    let mismatch: ProtocolMismatch | undefined

    const unreachable = (reason: string, waitMillis: number) =>
      new Unreachable({
        address: connection?.address ?? discovery.address,
        afterMillis: settings.deadlineMillis + waitMillis,
        reason
      })

    /** Sends a call on the connection; without one it waits for one. */
    const dispatch = (call: Call) => {
      const timeoutMillis = settings.deadlineMillis + call.waitMillis
      const done = (failure: string | undefined, reply: Uint8Array) => {
        calls.delete(call.id)
        call.done(failure === undefined ? undefined : mismatch ?? unreachable(failure, call.waitMillis), reply)
      }
      if (connection === undefined && mismatch !== undefined) {
        const failed = setImmediate(() => done("", noBytes))
        call.cancel = () => clearImmediate(failed)
      } else if (connection === undefined) {
        const timer = setTimeout(() => done("no control plane has announced itself there", noBytes), timeoutMillis)
        call.cancel = () => clearTimeout(timer)
      } else {
        call.cancel = connection.request(
          call.payload,
          { timeoutMillis, resendMillis: settings.resendMillis + call.waitMillis },
          done
        )
      }
    }

    const send: Calls["send"] = (payload, decode, waitMillis, done) => {
      const call = new Call(
        ++sent,
        payload,
        waitMillis,
        (failure, reply) => done(failure === undefined ? decode(reply) : Result.fail(failure))
      )
      if (isClosed) {
        queueMicrotask(() => call.done(unreachable("the client was closed", 0), noBytes))
        return call.cancel
      }
      calls.set(call)
      dispatch(call)
      return () => {
        calls.delete(call.id)
        call.cancel()
      }
    }

    const connect = Effect.fnUntraced(function*(address: string) {
      const inner = yield* Scope.make()
      const opened = yield* transport.connect(address, {
        maxMessageBytes: Envelope.maxMessageBytes(settings.maxPayloadBytes)
      }).pipe(Scope.provide(inner), Effect.onError((cause) => Scope.close(inner, Exit.failCause(cause))))
      const previous = connectionScope
      connection = opened
      connectionScope = inner
      for (const call of calls.values()) {
        call.cancel()
        dispatch(call)
      }
      if (previous !== undefined) yield* Scope.close(previous, Exit.void)
    })

    // Those who wait learn that the client was closed, rather than what the closing did to its connection.
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        isClosed = true
        for (const call of calls.values()) {
          calls.delete(call.id)
          call.cancel()
          call.done(unreachable("the client was closed", 0), noBytes)
        }
        return connectionScope === undefined ? Effect.void : Scope.close(connectionScope, Exit.void)
      })
    )
    const onFound = ({ address }: Announcement) => {
      mismatch = undefined
      if (connection?.address === address || isClosed) return
      runFork(
        connect(address).pipe(Effect.catch((error) => Effect.logError("The announced address can't be used", error)))
      )
    }
    yield* discovery.find(onFound, (found) => {
      mismatch = found
      if (connection !== undefined) return
      for (const call of calls.values()) {
        call.cancel()
        dispatch(call)
      }
    })

    return {
      send,
      ask: <H>(header: object, decode: Decoder<H>, waitMillis = 0) =>
        Effect.callback<H, ReplyError | CallError>((resume) => {
          const cancel = send(
            Envelope.encode({ v, ...header }),
            decode,
            waitMillis,
            (reply) => resume(Effect.map(Effect.fromResult(reply), ({ header }) => header))
          )
          return Effect.sync(cancel)
        }),
      isClosed: () => isClosed
    }
  }
)
