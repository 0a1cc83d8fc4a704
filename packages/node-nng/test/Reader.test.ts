/** Where bytes are read to. */
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { Rep, Req } from "../src/index.ts"
import { adopt } from "../src/Reader.ts"
import { makeScope } from "./scope.ts"
import { text } from "./until.ts"

const scope = makeScope()
afterEach(scope.close)

/** The buffers that the bodies of a few small requests lie in. */
const buffersOf = async (address: string): Promise<ReadonlyArray<ArrayBufferLike>> => {
  const [rep, req] = [scope.add(new Rep()), scope.add(new Req())]
  const buffers: Array<ArrayBufferLike> = []
  rep.onRequest((request) => {
    buffers.push(request.body.buffer)
    request.reply(request.body)
  })
  req.dial((await rep.listen(address)).address)
  for (const word of ["one", "two", "three"]) expect(text(await req.request(word))).toBe(word)
  return buffers
}

describe("An accepted connection", () => {
  it.each([
    ["tcp", "tcp://127.0.0.1:0"],
    ["ipc", `ipc://${join(tmpdir(), `nn-reader-${process.pid}`)}`]
  ])("over %s is read into one buffer, small at first", async (_, address) => {
    const buffers = await buffersOf(address)

    expect(new Set(buffers).size).toBe(1)
    expect(buffers[0]?.byteLength).toBe(4_096)
  })

  it("is used as it is when its handle is not to be had", () => {
    const socket = new Net.Socket()

    expect(adopt(socket)).toEqual({ socket, reader: null })
    expect(socket.destroyed).toBe(false)
  })
})
