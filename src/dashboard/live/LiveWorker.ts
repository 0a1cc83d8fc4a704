/**
 * Shared by all tabs: owns the one live stream, because a browser allows six connections and a seventh tab would wait for
 * ever. A tab that comes later gets the snapshot as it is now.
 */
import type { Snapshot } from "../../domain/View.ts"
import { merge } from "./merge.ts"
import type { ToTab, ToWorker } from "./Protocol.ts"
import { type Connection, openStream, type Stream } from "./Stream.ts"

const serve = (scope: EventTarget) => {
  const ports = new Set<MessagePort>()
  let stream: Stream | undefined
  let snapshot: Snapshot | undefined
  let connection: Connection = { state: "connecting", since: Date.now() }

  const tell = (message: ToTab) => {
    for (const port of ports) port.postMessage(message)
  }
  const open = (base: string) =>
    openStream(base, {
      snapshot: (next) => {
        snapshot = next
        tell({ type: "snapshot", snapshot: next })
      },
      frame: (frame) => {
        if (snapshot === undefined) return
        snapshot = merge(snapshot, frame)
        tell({ type: "frame", frame })
      },
      connection: (next) => {
        connection = next
        tell({ type: "connection", connection: next })
      }
    })

  scope.addEventListener("connect", (event) => {
    const [port] = (event as MessageEvent).ports
    if (port === undefined) return
    port.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
      if (data.type === "hello") {
        ports.add(port)
        stream ??= open(data.base)
        port.postMessage({ type: "connection", connection } satisfies ToTab)
        if (snapshot !== undefined) port.postMessage({ type: "snapshot", snapshot } satisfies ToTab)
      } else if (data.type === "retry") stream?.retry()
      else {
        ports.delete(port)
        if (ports.size === 0) {
          stream?.close()
          stream = undefined
          snapshot = undefined
          connection = { state: "connecting", since: Date.now() }
        }
      }
    })
    port.start()
  })
}

serve(globalThis)
