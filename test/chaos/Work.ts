/** What the clients of a chaos run ask for, made from the seed: a client that is started again knows what it wanted. */
import { makeRandom } from "../harness/random.ts"
import { answer } from "./tasks.ts"

export type Job =
  | { readonly kind: "quick" }
  | { readonly kind: "slow"; readonly millis: number }
  | { readonly kind: "cancelled"; readonly millis: number; readonly cancelAfter: number }
  | { readonly kind: "flaky"; readonly failures: number }
  | { readonly kind: "doomed" }
  | { readonly kind: "delayed"; readonly in: number }
  | { readonly kind: "unique"; readonly place: number; readonly millis: number }
  | { readonly kind: "big"; readonly bytes: number }

/** Returns the job of a client with a number, the same each time. */
export const jobOf = (seed: number, client: number, number: number): Job => {
  const random = makeRandom(Math.imul(seed, 7_919) + Math.imul(client, 104_729) + Math.imul(number, 1_299_709))
  const roll = random()
  const between = (low: number, high: number) => Math.round(low + random() * (high - low))
  if (roll < 0.4) return { kind: "quick" }
  if (roll < 0.6) return { kind: "slow", millis: between(50, 500) }
  if (roll < 0.7) return { kind: "cancelled", millis: between(50, 1_000), cancelAfter: between(0, 400) }
  if (roll < 0.8) return { kind: "flaky", failures: between(1, 3) }
  if (roll < 0.83) return { kind: "doomed" }
  if (roll < 0.91) return { kind: "delayed", in: between(100, 3_000) }
  if (roll < 0.985) return { kind: "unique", place: between(0, 3), millis: between(20, 300) }
  return { kind: "big", bytes: between(50_000, 600_000) }
}

export const idOf = (client: number, number: number) => `c${client}-${number}`

/** The client and the number of an id. */
export const partsOf = (id: string): readonly [client: number, number: number] => {
  const [, client, number] = /^c(\d+)-(\d+)$/u.exec(id) ?? []
  return [Number(client), Number(number)]
}

/** The outcome that a job must have, as the books write it. Cancelled ones have one or the other. */
export const expected = (job: Job, client: number, number: number): ReadonlyArray<string> => {
  switch (job.kind) {
    case "doomed":
      return [`failed ${number}`]
    case "cancelled":
      return ["cancelled", `ok ${answer("slow", client, number)}`]
    case "delayed":
      return [`ok ${answer("quick", client, number)}`]
    default:
      return [`ok ${answer(job.kind, client, number)}`]
  }
}
