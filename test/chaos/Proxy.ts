/**
 * The network between the processes of a test: every link is a TCP port of its own in front of the control plane, and can
 * be cut (connections are reset, new ones refused), stalled (nothing passes, nobody is told) and healed.
 */
import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"

export interface Link {
  readonly address: string
  /** Resets all connections, and those that are opened until it is healed. */
  readonly cut: () => void
  /** Nothing passes in either direction, and no end is seen: what a pulled cable looks like. */
  readonly stall: () => void
  /** What was held back passes on, late; or is lost with its connections, when they are reset. */
  readonly heal: (how?: { readonly reset: boolean }) => void
  readonly close: () => Promise<void>
}

interface Pair {
  readonly near: Socket
  readonly far: Socket
}

/** Opens a link to a port of the loopback. */
export const openLink = async (port: number): Promise<Link> => {
  let state: "open" | "cut" | "stalled" = "open"
  const pairs = new Set<Pair>()

  const join = ({ far, near }: Pair) => {
    near.pipe(far)
    far.pipe(near)
  }
  const part = ({ far, near }: Pair) => {
    near.unpipe(far).pause()
    far.unpipe(near).pause()
  }
  const reset = () => {
    for (const { far, near } of pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
  }

  const server = createServer((near) => {
    near.on("error", () => {})
    if (state === "cut") {
      near.resetAndDestroy()
      return
    }
    const far = connect(port, "127.0.0.1")
    far.on("error", () => {})
    near.setNoDelay(true)
    far.setNoDelay(true)
    const pair = { near, far }
    pairs.add(pair)
    const onClose = () => {
      near.destroy()
      far.destroy()
      pairs.delete(pair)
    }
    near.on("close", onClose)
    far.on("close", onClose)
    if (state === "stalled") part(pair)
    else join(pair)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const bound = server.address()
  if (bound === null || typeof bound === "string") throw new Error("no port")

  return {
    address: `tcp://127.0.0.1:${bound.port}`,
    cut() {
      state = "cut"
      reset()
    },
    stall() {
      state = "stalled"
      for (const pair of pairs) part(pair)
    },
    heal(how = { reset: false }) {
      const wasStalled = state === "stalled"
      state = "open"
      if (how.reset) reset()
      else if (wasStalled) { for (const pair of pairs) join(pair) }
    },
    async close() {
      state = "cut"
      reset()
      server.close()
      await once(server, "close")
    }
  }
}
