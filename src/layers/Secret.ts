/**
 * The secret that the processes of one application share, the keys that are made of it, and what is proved with them.
 * Owns the key schedule and the proofs; who asks whom is `layers/Handshake.ts`. Imports no Effect: the heartbeat's thread
 * uses it too.
 *
 * Of the secret come, by HKDF-SHA-256, one key for each role and the seed of an Ed25519 key pair. The control plane signs
 * with the pair, so that nobody else can pose as it, not even who holds the key of a role; peers prove their role with an
 * HMAC of its key.
 *
 * @since 0.1.0
 */
import { Buffer } from "node:buffer"
import type { KeyObject } from "node:crypto"
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  randomBytes,
  sign,
  timingSafeEqual,
  verify
} from "node:crypto"
import type { Role } from "../domain/Role.ts"

/**
 * Shortest secret, in characters.
 *
 * @category constants
 * @since 0.1.0
 */
export const minSecretLength = 16

/**
 * What a process holds: the key of its role and how to know the control plane.
 *
 * @category models
 * @since 0.1.0
 */
export interface PeerKey {
  readonly role: Role
  readonly key: Buffer
  /** Raw Ed25519 public key of the control plane. */
  readonly plane: Buffer
}

/**
 * What a control plane holds.
 *
 * @category models
 * @since 0.1.0
 */
export interface PlaneKey {
  readonly keys: Readonly<Record<Role, Buffer>>
  readonly privateKey: KeyObject
}

/** What stands in front of a raw Ed25519 key in DER (RFC 8410). */
const privatePrefix = Buffer.from("302e020100300506032b657004220420", "hex")
const publicPrefix = Buffer.from("302a300506032b6570032100", "hex")

const derive = (secret: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync("sha256", secret, "fastworker", purpose, 32))

const privateKeyOf = (secret: string): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([privatePrefix, derive(secret, "control plane")]),
    format: "der",
    type: "pkcs8"
  })

const rawPublicKey = (privateKey: KeyObject): Buffer =>
  createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(publicPrefix.length)

const roleKey = /^fastworker-(operator|client|worker|observer)-([A-Za-z0-9_-]{86})$/u

/**
 * Returns what is wrong with a text as a secret; `undefined` when it can be used.
 *
 * @category guards
 * @since 0.1.0
 */
export const problem = (secret: string): string | undefined => {
  if (roleKey.test(secret)) return undefined
  return secret.length >= minSecretLength
    ? undefined
    : `a secret has at least ${minSecretLength} characters, this one has ${secret.length}: ` +
      "`fastworker secret` makes one"
}

/**
 * Returns the key of a peer. A secret gives the role of an operator, the key of a role that role.
 *
 * @category keys
 * @since 0.1.0
 */
export const peerKey = (secret: string): PeerKey => {
  const match = roleKey.exec(secret)
  if (match === null) {
    return { role: "operator", key: derive(secret, "role operator"), plane: rawPublicKey(privateKeyOf(secret)) }
  }
  const bytes = Buffer.from(match[2] as string, "base64url")
  return { role: match[1] as Role, key: bytes.subarray(0, 32), plane: bytes.subarray(32) }
}

/**
 * Returns the keys of a control plane; `undefined` for the key of a role, which is not enough.
 *
 * @category keys
 * @since 0.1.0
 */
export const planeKey = (secret: string): PlaneKey | undefined => {
  if (roleKey.test(secret)) return undefined
  const keyOf = (role: Role) => derive(secret, `role ${role}`)
  return {
    keys: {
      operator: keyOf("operator"),
      client: keyOf("client"),
      worker: keyOf("worker"),
      observer: keyOf("observer")
    },
    privateKey: privateKeyOf(secret)
  }
}

/**
 * Returns the key of a role as text, to be given to a process instead of the secret.
 *
 * @category keys
 * @since 0.1.0
 */
export const roleKeyText = (secret: string, role: Role): string => {
  const key = Buffer.concat([derive(secret, `role ${role}`), rawPublicKey(privateKeyOf(secret))])
  return `fastworker-${role}-${key.toString("base64url")}`
}

/**
 * Makes a new secret: 256 random bits.
 *
 * @category keys
 * @since 0.1.0
 */
export const makeSecret = (): string => randomBytes(32).toString("base64url")

/**
 * Makes a nonce: 128 random bits in 32 hexadecimal digits.
 *
 * @category proofs
 * @since 0.1.0
 */
export const makeNonce = (): string => randomBytes(16).toString("hex")

const words = (...parts: ReadonlyArray<string>): Buffer => Buffer.from(parts.join("\n"))

/**
 * Proves to a peer that this is the control plane: its signature over role and both nonces.
 *
 * @category proofs
 * @since 0.1.0
 */
export const provePlane = ({ privateKey }: PlaneKey, role: Role, theirs: string, ours: string): string =>
  sign(null, words("fastworker control plane", role, theirs, ours), privateKey).toString("base64url")

const publicKeyOf = (raw: Buffer): KeyObject =>
  createPublicKey({ key: Buffer.concat([publicPrefix, raw]), format: "der", type: "spki" })

/**
 * Returns whether the proof of {@link provePlane} is right.
 *
 * @category proofs
 * @since 0.1.0
 */
export const isPlane = ({ plane, role }: PeerKey, ours: string, theirs: string, proof: string): boolean =>
  verify(
    null,
    words("fastworker control plane", role, ours, theirs),
    publicKeyOf(plane),
    Buffer.from(proof, "base64url")
  )

/**
 * Proves a role to the control plane.
 *
 * @category proofs
 * @since 0.1.0
 */
export const proveRole = (key: Buffer, role: Role, planeNonce: string, peerNonce: string): string =>
  createHmac("sha256", key).update(words("fastworker peer", role, planeNonce, peerNonce)).digest("base64url")

/**
 * Returns whether the proof of {@link proveRole} is right.
 *
 * @category proofs
 * @since 0.1.0
 */
export const isRole = (
  { keys }: PlaneKey,
  role: Role,
  planeNonce: string,
  peerNonce: string,
  proof: string
): boolean => {
  const expected = Buffer.from(proveRole(keys[role], role, planeNonce, peerNonce))
  const given = Buffer.from(proof)
  return expected.length === given.length && timingSafeEqual(expected, given)
}

const announcementWords = (bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from("fastworker announcement\n"), bytes])

/**
 * Signs an announcement.
 *
 * @category proofs
 * @since 0.1.0
 */
export const signAnnouncement = ({ privateKey }: PlaneKey, bytes: Uint8Array): string =>
  sign(null, announcementWords(bytes), privateKey).toString("base64url")

/**
 * Returns whether an announcement was signed by the control plane.
 *
 * @category proofs
 * @since 0.1.0
 */
export const isAnnouncement = ({ plane }: PeerKey, bytes: Uint8Array, signature: string): boolean =>
  verify(null, announcementWords(bytes), publicKeyOf(plane), Buffer.from(signature, "base64url"))
