/** Waits for a condition, with a deadline: what tests do instead of sleeping. */

const pollMillis = 10

export const until = async <A>(
  what: string,
  condition: () => A | undefined | false | Promise<A | undefined | false>,
  deadlineMillis = 15_000
): Promise<A> => {
  const deadline = performance.now() + deadlineMillis
  while (true) {
    const value = await condition()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`Not within ${deadlineMillis} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pollMillis))
  }
}
