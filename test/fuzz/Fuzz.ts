/**
 * Tries inputs on a target until one shows something that must not be, or the time is over; what it finds is made as small
 * as it gets. Input number `n` of a seed is made of `seed + n`: `--seed` with the number that was printed makes it again.
 */
import { makeRandom } from "../harness/random.ts"

export type Random = () => number

/** Something that inputs are tried on. */
export interface Running<A> {
  /** Says what is wrong with what came of an input. */
  readonly attempt: (input: A) => Promise<string | undefined>
  readonly stop: () => Promise<void>
}

export interface Target<A> {
  readonly name: string
  readonly start: () => Promise<Running<A>>
  readonly generate: (random: Random) => A
  /** Inputs that are a little simpler. */
  readonly simpler: (input: A) => Iterable<A>
  readonly print: (input: A) => string
}

export interface Finding {
  readonly target: string
  readonly seed: number
  readonly message: string
  /** The smallest input that shows the same. */
  readonly input: string
}

export interface Report {
  readonly inputs: number
  readonly finding: Finding | undefined
}

/** How long an input may take, whatever it is. */
const deadlineMillis = 10_000

/** Attempts to make an input smaller, and the time for them. */
const maxAttempts = 500
const shrinkMillis = 60_000

/** What went wrong beside the attempt, where nobody waits for it. */
const watchProcess = () => {
  const seen: Array<string> = []
  const onError = (error: unknown) => void seen.push(`an error that nobody caught: ${String(error)}`)
  process.on("uncaughtException", onError)
  process.on("unhandledRejection", onError)
  return {
    take: () => seen.splice(0)[0],
    stop() {
      process.off("uncaughtException", onError)
      process.off("unhandledRejection", onError)
    }
  }
}

const within = async (attempt: Promise<string | undefined>): Promise<string | undefined> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`it took longer than ${deadlineMillis} ms`), deadlineMillis)
  })
  try {
    return await Promise.race([attempt, late])
  } catch (error) {
    return `it threw ${error instanceof Error ? error.stack ?? error.message : String(error)}`
  } finally {
    clearTimeout(timer)
  }
}

/** Messages that differ in their numbers are the same. */
const kindOf = (message: string | undefined) => message?.split("\n")[0]?.replaceAll(/\d+/gu, "#")

/** Tries inputs for so long, and at least one. */
export const fuzz = async <A>(
  target: Target<A>,
  { millis, seed }: { readonly seed: number; readonly millis: number }
): Promise<Report> => {
  const running = await target.start()
  const beside = watchProcess()
  const attempt = async (input: A) => {
    const problem = await within(running.attempt(input))
    return problem ?? beside.take()
  }
  const shrink = async (input: A, message: string): Promise<A> => {
    let best = input
    let attempts = 0
    const end = performance.now() + shrinkMillis
    for (let isBetter = true; isBetter && attempts < maxAttempts;) {
      isBetter = false
      for (const candidate of target.simpler(best)) {
        if (++attempts > maxAttempts || performance.now() > end) return best
        if (kindOf(await attempt(candidate)) !== kindOf(message)) continue
        best = candidate
        isBetter = true
        break
      }
    }
    return best
  }
  const end = performance.now() + millis
  let inputs = 0
  try {
    do {
      const input = target.generate(makeRandom(seed + inputs))
      const message = await attempt(input)
      if (message !== undefined) {
        const smallest = await shrink(input, message)
        return {
          inputs,
          finding: { target: target.name, seed: seed + inputs, message, input: target.print(smallest) }
        }
      }
      inputs++
    } while (performance.now() < end)
    return { inputs, finding: undefined }
  } finally {
    beside.stop()
    await running.stop()
  }
}
