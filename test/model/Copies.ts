/**
 * Copies of submissions: one that comes later is answered as the first one and has nothing accepted, as long as the
 * control plane knows the session. So a task never runs after its caller was told no, and nobody is told no of a task that
 * has run.
 */
import type { Sessions } from "../../src/layers/Sessions.ts"
import type { Payload } from "../../src/services/Transport.ts"
import type { Request } from "./Network.ts"
import { decode } from "./Network.ts"
import { Broken } from "./Script.ts"

interface Mark {
  /** The session that the message was taken in. */
  readonly session: object
  /** What it was answered. */
  said: string | undefined
}

export const makeCopies = ({ accepted, now, see }: {
  /** How many tasks were accepted so far. */
  readonly accepted: () => number
  readonly now: () => number
  readonly see: (what: string) => void
}) => {
  const marks = new WeakMap<Request, Mark>()

  return {
    /** A submission arrives, for the first time or again. */
    arrives(sessions: Sessions, token: string, request: Request) {
      // It is opened by the message in any case.
      const session = sessions.open(token, now())
      if (session === undefined) return undefined
      const known = marks.get(request)
      const isCopy = known?.session === session
      const mark = known !== undefined && isCopy ? known : { session, said: undefined }
      marks.set(request, mark)
      const before = accepted()
      if (isCopy) see(mark.said?.includes("refused") === true ? "a copy of what was refused" : "a copy")
      return {
        answered(payload: Payload) {
          const { ids, refused } = decode(payload).header
          const says = JSON.stringify({ ids, refused })
          if (mark.said !== undefined && says !== mark.said) {
            throw new Broken("a copy is answered the same", `${says}, and ${mark.said} before`)
          }
          mark.said = says
        },
        taken() {
          if (isCopy && accepted() !== before) {
            throw new Broken("a refusal is final", `a copy was accepted; the first one was answered ${mark.said}`)
          }
        }
      }
    }
  }
}
