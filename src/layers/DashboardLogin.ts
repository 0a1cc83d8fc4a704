/**
 * Who may ask the dashboard's server what, when the control plane has a secret: people sign in with the secret or the key
 * of a role and get a session in a cookie, programs send it as a bearer token with each request. Without a secret
 * everybody may do everything.
 *
 * Owns the sessions and the bound on guesses. What a request does is the business of whoever answers it.
 *
 * @since 0.1.0
 */
import type { Buffer } from "node:buffer"
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import type { Role } from "../domain/Role.ts"
import { roles } from "../domain/Role.ts"
import { roleKeyText } from "./Secret.ts"

/** The cookie that holds the token of a session. */
const cookieName = "fastworker"

/** How long a session lasts. */
const sessionMillis = 12 * 3_600_000

/** Sessions at a time, at most: the oldest ends when there are more. */
const maxSessions = 1_000

/** Wrong keys from one address, and from all, in {@link windowMillis}. */
const maxFailures = 10
const maxAllFailures = 200
const windowMillis = 60_000

/**
 * Who asks: the role, or why nobody is known.
 *
 * @category models
 * @since 0.1.0
 */
export type Visitor = { readonly role: Role } | {
  readonly role: undefined
  readonly reason: "none" | "wrong" | "often"
}

/**
 * Who may ask what.
 *
 * @category models
 * @since 0.1.0
 */
export type Login = ReturnType<typeof makeLogin>

const digest = (text: string) => createHash("sha256").update(text).digest()

const cookieOf = (header: string | undefined): string | undefined =>
  header?.split(";").map((pair) => pair.trim().split("=")).find(([name]) => name === cookieName)?.[1]

/**
 * Creates the sessions of a dashboard. `now` is milliseconds that only rise.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeLogin = ({ now, prefix, secret }: {
  readonly secret: string | undefined
  readonly prefix: string
  readonly now: () => number
}) => {
  /** The keys that open it, by what they open, as hashes: equally long, to be compared in equal time. */
  const keys: ReadonlyArray<readonly [Role, Buffer]> = secret === undefined
    ? []
    : [["operator", digest(secret)], ...roles.map((role) => [role, digest(roleKeyText(secret, role))] as const)]
  const sessions = new Map<string, { readonly role: Role; readonly until: number }>()
  const failures = new Map<string, number>()
  let allFailures = 0
  let windowUntil = 0

  const roleOf = (key: string): Role | undefined => {
    const given = digest(key)
    let found: Role | undefined
    // All of them, so that the time tells nothing.
    for (const [role, known] of keys) if (timingSafeEqual(known, given)) found ??= role
    return found
  }

  const isTooOften = (address: string): boolean => {
    const time = now()
    if (time >= windowUntil) {
      windowUntil = time + windowMillis
      failures.clear()
      allFailures = 0
    }
    return allFailures >= maxAllFailures || (failures.get(address) ?? 0) >= maxFailures
  }

  /** Checks a key. Guesses are counted, by address. */
  const check = (key: string, address: string): Visitor => {
    if (isTooOften(address)) return { role: undefined, reason: "often" }
    const role = roleOf(key)
    if (role !== undefined) return { role }
    failures.set(address, (failures.get(address) ?? 0) + 1)
    allFailures++
    return { role: undefined, reason: "wrong" }
  }

  const setCookie = (token: string, seconds: number, isSecure: boolean) =>
    `${cookieName}=${token}; Path=${prefix}/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${
      isSecure ? "; Secure" : ""
    }`

  return {
    /** Whether anybody is asked who they are. */
    isNeeded: secret !== undefined,
    /** Seconds until guesses are counted anew. */
    retryAfter: () => Math.max(1, Math.ceil((windowUntil - now()) / 1_000)),
    /** Who asks, by the headers of a request. */
    visitor(headers: Readonly<Record<string, string | undefined>>, address: string): Visitor {
      if (secret === undefined) return { role: "operator" }
      const { authorization, cookie } = headers
      if (authorization !== undefined) {
        const bearer = /^Bearer +(\S+)$/iu.exec(authorization)?.[1]
        return bearer === undefined ? { role: undefined, reason: "wrong" } : check(bearer, address)
      }
      const token = cookieOf(cookie)
      const session = token === undefined ? undefined : sessions.get(token)
      if (token === undefined || session === undefined) return { role: undefined, reason: "none" }
      if (session.until > now()) return { role: session.role }
      sessions.delete(token)
      return { role: undefined, reason: "none" }
    },
    /** Begins a session: the cookie to set, or why not. */
    open(key: string, address: string, isSecure: boolean): Visitor & { readonly cookie?: string } {
      const visitor = check(key, address)
      if (visitor.role === undefined) return visitor
      const token = randomBytes(32).toString("base64url")
      for (const [oldest, { until }] of sessions) {
        if (until > now() && sessions.size < maxSessions) break
        sessions.delete(oldest)
      }
      sessions.set(token, { role: visitor.role, until: now() + sessionMillis })
      return { ...visitor, cookie: setCookie(token, sessionMillis / 1_000, isSecure) }
    },
    /** Ends the session of a request. Returns the cookie that takes the old one away. */
    close(headers: Readonly<Record<string, string | undefined>>, isSecure: boolean): string {
      sessions.delete(cookieOf(headers["cookie"]) ?? "")
      return setCookie("", 0, isSecure)
    }
  }
}
