/**
 * Connections that are refused, in the log: whoever is refused tries again and again, so it is one line in a second, with how many
 * there were before it.
 *
 * @since 0.1.0
 */

/** How often it is said. */
const refusalsMillis = 1_000

/**
 * Creates what says so for one kind of peer; `say` writes the line.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeRefusals = (now: () => number, say: (reason: string, about: object) => void) => (role: string) => {
  let unsaid = 0
  let saidAt = -Infinity
  return (remote: string, reason: string) => {
    const time = now()
    if (time - saidAt < refusalsMillis) return void unsaid++
    say(reason, { role, remote, ...(unsaid === 0 ? {} : { before: unsaid }) })
    saidAt = time
    unsaid = 0
  }
}
