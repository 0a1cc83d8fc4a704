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
import { Announcement } from "../domain/Message.ts"
import { Discovery } from "../services/Discovery.ts"
import { Settings } from "../services/Settings.ts"
import { Transport } from "../services/Transport.ts"

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Announcement))

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
      const message = [topic + JSON.stringify(announcement)]
      const publisher = yield* transport.publish(address, { welcome: () => message })
      yield* Effect.sync(() => publisher.send(message)).pipe(
        Effect.repeat(Schedule.spaced(announceMillis)),
        Effect.forkScoped
      )
      return { address: publisher.address }
    }),
    find(onFound) {
      let epoch: string | undefined
      return transport.subscribe(address, {
        topic,
        onMessage(body) {
          const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8", prefixBytes)
          const announcement = decode(text)
          // Whatever else is published there is not for us.
          if (Result.isFailure(announcement) || announcement.success.epoch === epoch) return
          epoch = announcement.success.epoch
          onFound(announcement.success)
        }
      })
    }
  })
})

/**
 * Layer that announces and finds control planes on one address.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Discovery, never, Transport> = Layer.effect(Discovery, make)
