/** Who is looking: asked once when the page is opened, and again when the server no longer knows. */
import type { Client, Problem } from "../api/Client.ts"

export interface Who {
  readonly role: "operator" | "client" | "worker" | "observer"
  /** Whether anybody is asked: there is something to sign out of. */
  readonly isNeeded: boolean
}

export type Session =
  | { readonly state: "known"; readonly who: Who }
  | { readonly state: "stranger" }
  | { readonly state: "unreachable"; readonly problem: Problem }

export const askSession = async (client: Client): Promise<Session> => {
  const answer = await client.get<Who>("/session")
  if (answer.ok) return { state: "known", who: answer.value }
  return answer.problem.status === 401 ? { state: "stranger" } : { state: "unreachable", problem: answer.problem }
}

/** Why somebody with this role can't change anything. */
export const readOnlyReason = ({ role }: Who): string | undefined =>
  role === "observer" ? "The key that you signed in with only reads." : undefined
