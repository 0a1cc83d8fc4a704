/**
 * Copies of submissions and exchanges, as long as the control plane knows whose they are. A submission that comes again is
 * answered as the first one and has nothing accepted: a task never runs after its caller was told no, and nobody is told
 * no of a task that has run. An exchange that comes again has the same answer, or an empty one.
 */
import type { Payload } from "../../src/services/Transport.ts"
import type { Header, Request } from "./Network.ts"
import { decode } from "./Network.ts"
import { Broken } from "./Script.ts"

interface Mark {
  /** The session of the client, or the registration of the worker, that the message was taken in. */
  readonly owner: object
  /** What it was answered. */
  said: string | undefined
}

const saidOf = ({ abandon, cancel, ids, late, leases, refused }: Header) =>
  JSON.stringify({ ids, refused, leases, abandon, cancel, late })

const empty = saidOf({ leases: [] })

export const makeCopies = ({ accepted, see }: {
  /** How many tasks were accepted so far. */
  readonly accepted: () => number
  readonly see: (what: string) => void
}) => {
  const marks = new WeakMap<Request, Mark>()

  return {
    /** A message arrives, for the first time or again. */
    arrives(owner: object | undefined, request: Request) {
      if (owner === undefined) return undefined
      const known = marks.get(request)
      const isCopy = known?.owner === owner
      const mark = known !== undefined && isCopy ? known : { owner, said: undefined }
      marks.set(request, mark)
      const before = accepted()
      if (isCopy) see(mark.said?.includes("refused") === true ? "a copy of what was refused" : "a copy")
      return {
        answered(payload: Payload) {
          const { header } = decode(payload)
          if (header.error !== undefined) return
          const says = saidOf(header)
          if (mark.said !== undefined && says !== mark.said && says !== empty) {
            throw new Broken("a copy is answered the same", `${says}, and ${mark.said} before`)
          }
          mark.said ??= says
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
