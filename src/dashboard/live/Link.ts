/** A tab's way to the live stream: through the shared worker, or a stream of its own where there is none. */
import type { ToTab, ToWorker } from "./Protocol.ts"
import { openStream, type Stream, type StreamEvents } from "./Stream.ts"

/** A hidden tab with a stream of its own gives it back after this time. */
const hiddenMillis = 10_000

/** Connects for as long as the page is open. */
export const openLink = (base: string, events: StreamEvents): Stream => {
  if (typeof SharedWorker === "undefined") return openOwn(base, events)
  try {
    return openShared(base, events)
  } catch {
    return openOwn(base, events)
  }
}

const openShared = (base: string, events: StreamEvents): Stream => {
  const worker = new SharedWorker(new URL("./LiveWorker.ts", import.meta.url), { type: "module", name: "fastworker" })
  let own: Stream | undefined
  const say = (message: ToWorker) => worker.port.postMessage(message)
  const hello = () => say({ type: "hello", base })
  const bye = () => say({ type: "bye" })
  worker.port.addEventListener("message", ({ data }: MessageEvent<ToTab>) => {
    if (data.type === "snapshot") events.snapshot(data.snapshot)
    else if (data.type === "frame") events.frame(data.frame)
    else events.connection(data.connection)
  })
  worker.port.start()
  // It could not be loaded: the policy of a proxy, or files of another version.
  worker.addEventListener("error", () => {
    own ??= openOwn(base, events)
  })
  hello()
  addEventListener("pagehide", bye)
  const onShow = (event: PageTransitionEvent) => {
    if (event.persisted) hello()
  }
  addEventListener("pageshow", onShow)
  return {
    retry: () => own === undefined ? say({ type: "retry" }) : own.retry(),
    close: () => {
      removeEventListener("pagehide", bye)
      removeEventListener("pageshow", onShow)
      bye()
      own?.close()
    }
  }
}

const openOwn = (base: string, events: StreamEvents): Stream => {
  let stream: Stream | undefined = openStream(base, events)
  let timer: ReturnType<typeof setTimeout> | undefined
  const onVisibility = () => {
    clearTimeout(timer)
    if (document.visibilityState === "visible") stream ??= openStream(base, events)
    else {
      timer = setTimeout(() => {
        stream?.close()
        stream = undefined
      }, hiddenMillis)
    }
  }
  document.addEventListener("visibilitychange", onVisibility)
  return {
    retry: () => stream?.retry(),
    close: () => {
      clearTimeout(timer)
      document.removeEventListener("visibilitychange", onVisibility)
      stream?.close()
    }
  }
}
