/**
 * Discovery by announcements over the transport's publish and subscribe: at once to each new subscriber, then every
 * {@link Settings.announceMillis}. An announcement is the topic `fastworker/<namespace> ` followed by JSON, so that
 * applications with other namespaces on the same address do not see it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import { ProtocolMismatch } from "../domain/Errors.ts"
import { AnnouncedVersions, Announcement, protocolVersion, protocolVersions } from "../domain/Message.ts"
import { Discovery } from "../services/Discovery.ts"
import { Settings } from "../services/Settings.ts"
import { Transport } from "../services/Transport.ts"

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Announcement))
const decodeVersions = Schema.decodeUnknownResult(Schema.fromJsonString(AnnouncedVersions))

const hostOf = (address: string) => /^[^:]+:\/\/(.*):\d+$/u.exec(address)?.[1]

/** Who listens on all interfaces has no name for itself: it is where its announcements come from. */
const reachable = (announced: string, discovery: string): string => {
  const host = hostOf(announced)
  const known = hostOf(discovery)
  const isAnywhere = host === "0.0.0.0" || host === "[::]" || host === ""
  return isAnywhere && known !== undefined && known !== "" ? announced.replace(`//${host}:`, `//${known}:`) : announced
}

/**
 * Creates discovery on the address of the settings.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function*() {
  const transport = yield* Transport
  const { announceMillis, discovery: address, namespace } = yield* Settings
  const topic = `fastworker/${namespace} `
  const prefixBytes = Buffer.byteLength(topic)
  return Discovery.of({
    address,
    announce: Effect.fnUntraced(function*(announcement) {
      const message = [topic + JSON.stringify({ ...announcement, versions: protocolVersions })]
      const publisher = yield* transport.publish(address, { welcome: () => message })
      yield* Effect.sync(() => publisher.send(message)).pipe(
        Effect.repeat(Schedule.spaced(announceMillis)),
        Effect.forkScoped
      )
      return { address: publisher.address }
    }),
    find: Effect.fnUntraced(function*(onFound, onMismatch) {
      const runFork = Effect.runForkWith(yield* Effect.context())
      let epoch: string | undefined
      let mismatched: string | undefined

      const onOtherVersion = (theirs: ReadonlyArray<number>) => {
        if (mismatched === theirs.join()) return
        mismatched = theirs.join()
        const mismatch = new ProtocolMismatch({ ours: protocolVersions, theirs })
        if (onMismatch === undefined) runFork(Effect.logWarning(mismatch.message))
        else onMismatch(mismatch)
      }

      yield* transport.subscribe(address, {
        topic,
        onMessage(body) {
          const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8", prefixBytes)
          const announced = decodeVersions(text)
          // Whatever else is published there is not for us.
          if (Result.isFailure(announced)) return
          const { v, versions = [v] } = announced.success
          if (!versions.includes(protocolVersion)) return onOtherVersion(versions)
          const announcement = decode(text)
          if (Result.isFailure(announcement)) return
          mismatched = undefined
          if (announcement.success.epoch === epoch) return
          epoch = announcement.success.epoch
          const { address: forClients, workerAddress } = announcement.success
          onFound({
            ...announcement.success,
            address: reachable(forClients, address),
            workerAddress: reachable(workerAddress, address)
          })
        }
      })
    })
  })
})

/**
 * Layer that announces and finds control planes on one address.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Discovery, never, Transport> = Layer.effect(Discovery, make)
