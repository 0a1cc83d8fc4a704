/**
 * `fastworker explain`: why a task is not running, what is ahead of it, until when, and what can be done about it.
 *
 * @since 0.1.0
 */
import { Argument } from "effect/cli"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { TaskDetail, Waiting } from "../domain/View.ts"
import { asking } from "./Asking.ts"
import * as Output from "./Output.ts"

/** What somebody can do about each cause; nothing where only time helps. */
const advices: { readonly [Cause in Waiting["cause"]]: ((task: TaskDetail) => string) | undefined } = {
  paused: () => "see what is paused: fastworker stats; go on: fastworker resume",
  due: undefined,
  backoff: ({ id }) => `see what its attempts said: fastworker show ${id}`,
  "no-worker": ({ name }) => `start a worker with the file that has "${name}": fastworker worker --tasks FILE`,
  busy: () => "start another worker, or give the workers a higher --concurrency",
  limit: ({ name }) => `the definition of "${name}" says how many may run at once or per second`,
  fair: undefined,
  probation: undefined,
  draining: () => "submit it again when the control plane has started again, unless it has a journal",
  journal: () => "see what the journal says: fastworker system",
  other: undefined
}

interface Explanation {
  readonly id: string
  readonly name: string
  readonly state: TaskDetail["state"]
  /** Missing when it does not wait. */
  readonly waiting?: Waiting
  readonly advice?: string
  readonly text: string
}

/** The sentence for a task that does not wait. */
const notWaiting = (task: TaskDetail, now: number): string => {
  const { failure, finishedAt = now, id, startedAt = now, state, worker = "a worker" } = task
  if (state === "running") return `It is running on ${worker}, since ${Output.age(now - startedAt)}`
  if (state === "cancelling") return `It is being stopped on ${worker}, its handler has not ended yet`
  const ended = `It is not running any more: it ${state === "cancelled" ? "was" : "has"} ${state} ` +
    `${Output.age(now - finishedAt)} ago`
  if (failure === undefined) return ended
  const retry = task.can.retry ? `; run it again: fastworker retry ${id}` : ""
  return `${ended} (${failure.type}: ${failure.message.split("\n", 1)[0]})${retry}`
}

const waitingText = ({ ahead, text, until }: Waiting, now: number): string =>
  [
    `It waits because ${text}`,
    ...(ahead === undefined ? [] : [ahead === 0 ? "it is the next" : `${Output.tasks(ahead)} ahead of it`]),
    ...(until === undefined ? [] : [`until ${Output.dateAndTime(until)}, in ${Output.age(until - now)}`])
  ].join("; ")

const explanation = (task: TaskDetail, now: number): Explanation => {
  const { id, name, state, waiting } = task
  if (waiting === undefined) return { id, name, state, text: notWaiting(task, now) }
  const advice = advices[waiting.cause]?.(task)
  return { id, name, state, waiting, ...(advice === undefined ? {} : { advice }), text: waitingText(waiting, now) }
}

export const explain = asking(
  "explain",
  "Say why a task is not running, what is ahead of it, and what can be done",
  { id: Argument.String("id").pipe(Argument.withDescription("Id of the task")) },
  {
    ask: (client, { id }) =>
      Effect.gen(function*() {
        return explanation(yield* client.describe(id), yield* Clock.currentTimeMillis)
      }),
    text: ({ advice, id, name, text }) =>
      `${name} ${id}: ${Output.plain(text)}${advice === undefined ? "" : `\nTo do: ${advice}`}`
  }
)
