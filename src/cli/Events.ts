/**
 * `fastworker events`: follows what happens in a control plane, one line for each event.
 *
 * @since 0.1.0
 */
import { Command, Flag } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Event } from "../domain/Event.ts"
import { eventTypes } from "../domain/Event.ts"
import type { EventFilter, EventsDropped } from "../services/Client.ts"
import { Client } from "../services/Client.ts"
import { endsWhenStopped, withClient } from "./Asking.ts"
import * as Flags from "./Flags.ts"
import * as Output from "./Output.ts"

const describe = (event: Event | EventsDropped): string => {
  if (event.type === "dropped") return `(${event.count} events were left out: they came faster than they were printed)`
  const { at, type, ...fields } = event
  const values = Object.entries(fields).map(([name, value]) => {
    const text = name.endsWith("At") && typeof value === "number" ? Output.dateAndTime(value) : String(value)
    return name === "id" || name === "name" ? text : `${name}=${text}`
  })
  return `${Output.timeOfDay(at)} ${type.padEnd(15)} ${values.join(" ")}`
}

/** Which events are wanted. */
export const eventFlags = {
  types: Flag.Literals("type", eventTypes).pipe(
    Flag.withDescription(`Only events of this type; may be given several times: ${eventTypes.join(", ")}`),
    Flag.atLeast(0)
  ),
  name: Flags.filter.name,
  id: Flag.String("id").pipe(Flag.withMetavar("ID"), Flag.optional, Flag.withDescription("Only of this task"))
}

/** The filter that these flags say. */
export const toEventFilter = (
  { id, name, types }: Command.Command.Config.InferValue<typeof eventFlags>
): EventFilter => ({
  ...(types.length === 0 ? {} : { types }),
  ...Flags.asProperty("name", name),
  ...Flags.asProperty("id", id)
})

export const events = Command.make(
  "events",
  { filter: eventFlags, target: Flags.target },
  Effect.fnUntraced(function*(flags) {
    const { json } = yield* Flags.root
    return yield* withClient(
      flags.target,
      Effect.gen(function*() {
        const client = yield* Client
        const stream = client.events(toEventFilter(flags.filter))
        yield* Stream.runForEach(stream, (event) => json ? Output.json(event) : Console.log(describe(event))).pipe(
          Effect.catch((error) => Output.fail(json, error))
        )
      })
    ).pipe(endsWhenStopped)
  })
).pipe(Command.withDescription("Follow what happens, until Ctrl-C"))
