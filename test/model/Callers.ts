/**
 * Clients of the simulation: they submit, watch and collect as ours do, send again what was not answered, and check what
 * they are told: each outcome once, the same for ever, and none that is not theirs.
 */
import { protocolVersion as v } from "../../src/domain/Message.ts"
import type { Header, Link } from "./Network.ts"
import { encode, send, splitBody, token } from "./Network.ts"
import type { Question, Submission } from "./Script.ts"
import { Broken } from "./Script.ts"

interface WireOutcome {
  readonly id: string
  readonly state: string
  readonly reason?: string
  readonly attempt: number
  readonly size: number
}

export interface Caller {
  readonly c: number
  readonly token: string
  readonly link: Link
  epoch: string | undefined
  acked: number
  /** What came under each number, in this epoch. */
  received: Map<number, string>
  /** Whose outcome it waits for. */
  readonly wanted: Set<string>
  /** Whose outcome it has ever asked for. */
  readonly asked: Set<string>
  isCollecting: boolean
  /** Messages with submissions so far. */
  seq: number
  /** It may have been given tasks of others, which hold its unique key, and not know it yet. */
  joins: boolean
}

export const makeCallers = ({ isMade, onAccepted, onTold }: {
  /** Whether an id was made by a control plane. */
  readonly isMade: (id: string) => boolean
  /** A caller learns that a task is accepted. */
  readonly onAccepted: (id: string) => void
  readonly onTold: (id: string, text: string) => void
}) => {
  const callers = new Map<number, Caller>()

  const told = (caller: Caller, { attempt, id, reason, state }: WireOutcome, body: string) => {
    if (!caller.asked.has(id) && !isMade(id) && !caller.joins) {
      throw new Broken("nobody is told another's outcome", `${caller.token} was told that of ${id}`)
    }
    onTold(id, `${state} ${reason ?? ""} ${attempt} ${body}`)
    caller.wanted.delete(id)
  }

  const onCollected = (caller: Caller, header: Header, body: string) => {
    caller.isCollecting = false
    if (header.error !== undefined) return
    const outcomes = header["outcomes"] as ReadonlyArray<WireOutcome>
    const last = header["last"] as number
    if (caller.epoch !== header["epoch"]) {
      caller.epoch = header["epoch"] as string
      caller.received = new Map()
      caller.acked = last - outcomes.length
    }
    const bodies = splitBody(body, outcomes.map(({ size }) => size))
    for (let i = 0; i < outcomes.length; i++) {
      const outcome = outcomes[i] as WireOutcome
      const number = last - outcomes.length + 1 + i
      const known = caller.received.get(number)
      if (known !== undefined && known !== outcome.id) {
        throw new Broken(
          "outcomes keep their numbers",
          `number ${number} of ${caller.token} is ${known}, now ${outcome.id}`
        )
      }
      caller.received.set(number, outcome.id)
      told(caller, outcome, bodies[i] as string)
    }
    caller.acked = Math.max(caller.acked, last)
  }

  const ask = (
    caller: Caller,
    header: object,
    onReply: (header: Header, body: string) => void,
    bodies: ReadonlyArray<string> = []
  ) =>
    send(caller.link, {
      message: encode({ v, ...header }, bodies),
      op: (header as { readonly op: string }).op,
      onReply
    })

  return {
    callers,

    hire(c: number, link: Link) {
      callers.set(c, {
        c,
        token: token("c", c),
        link,
        epoch: undefined,
        acked: 0,
        received: new Map(),
        wanted: new Set(),
        asked: new Set(),
        isCollecting: false,
        seq: 0,
        joins: false
      })
    },

    submit(caller: Caller, tasks: ReadonlyArray<Submission>) {
      const header = {
        op: "submit",
        session: caller.token,
        seq: ++caller.seq,
        tasks: tasks.map(({ args, ...task }) => ({ ...task, size: args.length }))
      }
      for (const { id, unique, watch } of tasks) {
        if (watch === true && id !== undefined) caller.asked.add(id)
        if (watch === true && unique?.onConflict === "existing") caller.joins = true
      }
      ask(caller, header, (reply) => {
        if (reply.error !== undefined) return
        const refused = new Set(
          ((reply["refused"] ?? []) as ReadonlyArray<{ readonly index: number }>).map(({ index }) => index)
        )
        const ids = (reply["ids"] ?? tasks.map(({ id }) => id)) as ReadonlyArray<string | null | undefined>
        for (let index = 0; index < tasks.length; index++) {
          const id = ids[index]
          if (refused.has(index) || typeof id !== "string") continue
          onAccepted(id)
          if (tasks[index]?.watch !== true) continue
          caller.asked.add(id)
          if (![...caller.received.values()].includes(id)) caller.wanted.add(id)
        }
      }, tasks.map(({ args }) => args))
    },

    /** Watches tasks; without any, all that it waits for. */
    watch(caller: Caller, ids: ReadonlyArray<string>, progress = false) {
      const watched = ids.length > 0 ? ids : [...caller.wanted]
      if (watched.length === 0) return
      for (const id of watched) caller.asked.add(id)
      ask(caller, { op: "watch", session: caller.token, ids: watched, progress }, (reply) => {
        if (reply.error !== undefined) return
        const refused = (reply["refused"] ?? []) as ReadonlyArray<
          { readonly index: number; readonly error: { readonly _tag: string } }
        >
        const full = new Set(refused.filter(({ error }) => error._tag === "OutboxFull").map(({ index }) => index))
        const gone = new Set(refused.map(({ index }) => index))
        for (let index = 0; index < watched.length; index++) {
          const id = watched[index] as string
          if (gone.has(index) && !full.has(index)) caller.wanted.delete(id)
          else caller.wanted.add(id)
        }
      })
    },

    collect(caller: Caller, wait: number) {
      caller.isCollecting = true
      ask(
        caller,
        {
          op: "collect",
          session: caller.token,
          ack: caller.acked,
          wait,
          ...(caller.epoch === undefined ? {} : { epoch: caller.epoch })
        },
        (header, body) => onCollected(caller, header, body)
      )
    },

    ask(caller: Caller, question: Question) {
      if (question.op === "result") caller.asked.add(question.id)
      ask(caller, question, (reply, body) => {
        if (reply.error !== undefined) return
        if (question.op === "retry" || question.op === "trigger") onAccepted(reply["id"] as string)
        const outcome = reply["outcome"] as WireOutcome | undefined
        if (outcome !== undefined) told(caller, outcome, body)
      })
    }
  }
}
