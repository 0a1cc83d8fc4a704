/**
 * What goes wrong, when and for how long: made from a seed alone, so that the seed repeats it. How the processes react in
 * time is theirs; nothing here is decided while the run goes on.
 */
import { makeRandom } from "../harness/random.ts"

/**
 * `kill` is SIGKILL and a later start, `restart` is SIGTERM and a start, `stop` is SIGSTOP and SIGCONT. `cut` and `stall`
 * happen to the links of the target; those of the control plane are all of them.
 */
export type FaultKind = "kill" | "restart" | "stop" | "cut" | "stall"

export interface Fault {
  /** Milliseconds from the start of the run. */
  readonly at: number
  readonly kind: FaultKind
  readonly target: string
  /** How long it lasts. */
  readonly millis: number
  /** After a stall: whether the held connections are reset rather than go on. */
  readonly reset: boolean
}

/** What may happen to the control plane: without a journal its tasks end with it. */
export type Mode = "journal" | "memory" | "memory, killed"

export interface Cast {
  readonly seed: number
  readonly seconds: number
  readonly mode: Mode
  readonly workers: ReadonlyArray<string>
  readonly clients: ReadonlyArray<string>
}

/** Nothing happens in the first and the last moments: all are to be up, and what happened is to show its effects. */
const quietMillis = 500

const kindsOf = (role: "worker" | "client" | "plane", mode: Mode): ReadonlyArray<FaultKind> =>
  role === "worker"
    ? ["kill", "kill", "stop", "stop", "cut", "cut", "stall", "restart"]
    : role === "client"
    ? ["kill", "kill", "stop", "cut", "stall"]
    : mode === "journal"
    ? ["kill", "kill", "kill", "restart", "stop", "cut", "stall"]
    : mode === "memory"
    ? ["stop", "cut", "stall"]
    : ["kill", "stop", "cut", "stall"]

/** Makes the script of a run, in the order of time. One target suffers one thing at a time. */
export const makeScript = ({ clients, mode, seconds, seed, workers }: Cast): ReadonlyArray<Fault> => {
  const random = makeRandom(seed)
  const pick = <A>(items: ReadonlyArray<A>): A => items[Math.floor(random() * items.length)] as A
  const between = (low: number, high: number) => Math.round(low + random() * (high - low))
  const busyUntil = new Map<string, number>()
  const script: Array<Fault> = []
  const end = seconds * 1_000 - quietMillis
  let at = quietMillis
  while (at < end) {
    const role = pick(["worker", "worker", "worker", "client", "client", "plane", "plane"] as const)
    const target = role === "worker" ? pick(workers) : role === "client" ? pick(clients) : "plane"
    const kind = pick(kindsOf(role, mode))
    // Some last longer than the heartbeat timeout, most do not.
    const millis = random() < 0.3 ? between(2_000, 3_500) : between(50, 1_200)
    const reset = random() < 0.5
    if (at >= (busyUntil.get(target) ?? 0)) {
      script.push({ at, kind, target, millis, reset })
      busyUntil.set(target, at + millis + quietMillis)
    }
    at += between(100, 900)
  }
  return script
}
