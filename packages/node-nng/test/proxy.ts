/** A TCP proxy that does to connections what networks do. */
import * as Net from "node:net"

/** What becomes of bytes: passed on, held back, passed on one at a time, or swallowed while both ends think all is well. */
export type Fault = "none" | "stall" | "dribble" | "swallow"

export interface Proxy {
  readonly address: string
  /** Connections made so far. */
  readonly connections: () => number
  /** Sets what happens to bytes from now on, on all connections. */
  readonly fault: (fault: Fault) => void
  /** Ends all connections at once; new ones are taken. */
  readonly cut: () => void
  /** Refuses connections from now on, or takes them again. */
  readonly refuse: (refused: boolean) => void
  /** Holds back the next `count` connections until one more has come, then lets them go the other way round. */
  readonly reorder: (count: number) => void
  readonly close: () => void
}

/** Listens on a loopback port and passes connections on to `target`, a port. */
export const makeProxy = async (target: number): Promise<Proxy> => {
  let connections = 0
  let mode: Fault = "none"
  let refused = false
  let holding = 0
  let held: Array<() => void> = []
  const sockets = new Set<Net.Socket>()
  const pumps = new Set<() => void>()

  const keep = (socket: Net.Socket): void => {
    sockets.add(socket)
    socket.on("error", () => {})
    socket.on("close", () => sockets.delete(socket))
  }

  /** Moves bytes one way. */
  const pump = (from: Net.Socket, to: Net.Socket): void => {
    let waiting = Buffer.alloc(0)
    let busy = false
    const move = (): void => {
      if (mode === "swallow") waiting = Buffer.alloc(0)
      if (mode === "stall" || busy || waiting.length === 0 || to.destroyed) return
      const size = mode === "dribble" ? 1 : waiting.length
      const bytes = waiting.subarray(0, size)
      waiting = waiting.subarray(size)
      busy = true
      to.write(bytes, () => {
        busy = false
        move()
      })
    }
    pumps.add(move)
    from.on("data", (chunk) => {
      waiting = Buffer.concat([waiting, chunk])
      move()
      if (mode === "stall") from.pause()
    })
    from.on("close", () => {
      pumps.delete(move)
      to.destroy()
    })
  }

  const forward = (client: Net.Socket): void => {
    if (client.destroyed) return
    const server = Net.connect({ port: target, host: "127.0.0.1", noDelay: true })
    keep(server)
    pump(client, server)
    pump(server, client)
    client.resume()
  }

  const server = Net.createServer({ noDelay: true, pauseOnConnect: true }, (client) => {
    connections++
    keep(client)
    if (refused) {
      client.destroy()
    } else if (holding > 0) {
      holding--
      held.push(() => forward(client))
    } else {
      forward(client)
      const later = held.toReversed()
      held = []
      for (const release of later) release()
    }
  })
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    address: `tcp://127.0.0.1:${(server.address() as Net.AddressInfo).port}`,
    connections: () => connections,
    fault(fault) {
      mode = fault
      for (const socket of sockets) socket.resume()
      for (const move of pumps) move()
    },
    cut,
    refuse(value) {
      refused = value
      if (value) cut()
    },
    reorder(count) {
      holding = count
    },
    close() {
      cut()
      server.close()
    }
  }
}
