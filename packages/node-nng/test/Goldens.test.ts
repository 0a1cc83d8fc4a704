import { describe, expect, it } from "vitest"
import { FrameWriter } from "../src/FrameWriter.ts"
import type { Socket } from "../src/index.ts"
import { Bus, Pair0, Pair1, Pub, Pull, Push, Rep, Req, Respondent, Sub, Surveyor } from "../src/index.ts"
import { encodeGreeting, FrameParser, protocols, word } from "../src/Wire.ts"
import { goldens } from "./fixtures/goldens.ts"
import { connectRaw, frame, greeting, listenRaw, tempDirectory } from "./raw.ts"
import { text, until } from "./until.ts"

const bytesOf = (name: keyof typeof goldens): Buffer => Buffer.from(goldens[name], "hex")

const frameOf = (bytes: Uint8Array, typed: boolean): Uint8Array => {
  const frames: Array<Uint8Array> = []
  const parser = new FrameParser({ frame: (b, start, end) => void frames.push(b.slice(start, end)) }, {
    maxBytes: 0,
    typed
  })
  expect(parser.push(bytes)).toBe(null)
  const [frame] = frames
  if (frame === undefined || frames.length > 1) throw new Error(`${frames.length} frames`)
  return frame
}

const encode = (header: number | Uint8Array | null, body: string, typed: boolean): Buffer => {
  const writer = new FrameWriter({ typed })
  const chunks: Array<Uint8Array> = []
  writer.append(header, body)
  writer.flush({
    writableLength: 1,
    write: (bytes) => chunks.push(bytes) > 0,
    cork() {},
    uncork() {}
  })
  return Buffer.concat(chunks)
}

describe("bytes of nngcat", () => {
  it.each(
    [
      ["reqTcp", protocols.req],
      ["reqIpc", protocols.req],
      ["repTcp", protocols.rep],
      ["repIpc", protocols.rep],
      ["pubTcp", protocols.pub],
      ["pubIpc", protocols.pub],
      ["subTcp", protocols.sub]
    ] as const
  )("%s begins with our greeting", (name, protocol) => {
    expect(bytesOf(name).subarray(0, 8)).toEqual(Buffer.from(encodeGreeting(protocol.self)))
  })

  it.each(["reqTcp", "reqIpc"] as const)("%s is what we read and write for a request", (name) => {
    const typed = name === "reqIpc"
    const frame = frameOf(bytesOf(name).subarray(8), typed)
    const id = word(frame, 0)

    expect(id).toBeLessThan(0)
    expect(text(frame.subarray(4))).toBe("hello")
    expect(encode(id, "hello", typed)).toEqual(bytesOf(name).subarray(8))
  })

  it.each(["repTcp", "repIpc"] as const)("%s is what we write for a reply with its stack", (name) => {
    const stack = Uint8Array.of(0, 0, 0, 7, 0x12, 0x34, 0x56, 0x78, 0x80, 0, 0, 1)

    expect(encode(stack, "reply", name === "repIpc")).toEqual(bytesOf(name).subarray(8))
  })

  it.each(["pubTcp", "pubIpc"] as const)("%s is what we read and write for a message", (name) => {
    const typed = name === "pubIpc"

    expect(text(frameOf(bytesOf(name).subarray(8), typed))).toBe("topic body")
    expect(encode(null, "topic body", typed)).toEqual(bytesOf(name).subarray(8))
  })

  it("are what our sockets send", async () => {
    const [req, sub] = [new Req(), new Sub()]
    const [rep, pub] = [new Rep(), new Pub()]
    const servers = [await listenRaw(({ socket }) => void socket.write(greeting(0x31))), await listenRaw()] as const
    rep.onRequest((request) => request.reply("reply"))
    pub.onPipe(() => pub.send("topic body"))
    const listeners = [await rep.listen("tcp://127.0.0.1:0"), await pub.listen("tcp://127.0.0.1:0")] as const

    req.dial(servers[0].address)
    sub.dial(servers[1].address)
    void req.request("hello").catch(() => {})
    const request = Buffer.from("000000000000001300000007123456788000000172657175657374", "hex")
    const asking = await connectRaw(listeners[0].address, Buffer.concat([greeting(0x30), request]))
    const listening = await connectRaw(listeners[1].address, greeting(0x21))
    const sent = () => [servers[0].peers[0], servers[1].peers[0], asking, listening].map((peer) => peer?.received())
    const wanted = (["reqTcp", "subTcp", "repTcp", "pubTcp"] as const).map(bytesOf)
    await until("all bytes", () => sent().every((bytes, i) => bytes?.length === wanted[i]?.length))

    const withoutId = (bytes: Buffer | undefined) => bytes?.fill(0, 16, 20).toString("hex")
    const [ours, ...others] = sent()
    const [theirs, ...otherGoldens] = wanted
    expect(withoutId(ours)).toBe(withoutId(theirs))
    expect(others).toEqual(otherGoldens)
    for (const server of servers) server.close()
    for (const raw of [asking, listening]) raw.socket.destroy()
    await Promise.all([req, sub, rep, pub].map((socket) => socket.close()))
  })
})

describe("bytes of libnng", () => {
  const stack = [0, 0, 0, 7, 0x12, 0x34, 0x56, 0x78, 0x80, 0, 0, 1]
  const answering = (): Respondent => {
    const respondent = new Respondent()
    respondent.onSurvey((survey) => survey.reply("body"))
    return respondent
  }
  /** Sends as soon as there is a pipe. */
  const sending = <A extends Socket>(socket: A, send: (socket: A) => unknown): A => {
    socket.onPipe(() => void send(socket))
    return socket
  }

  it.each(
    [
      ["pushTcp", "pushIpc", 0x51, () => sending(new Push(), (push) => push.send("body"))],
      ["pullTcp", "pullTcp", 0x50, () => new Pull()],
      ["surveyorTcp", "surveyorIpc", 0x63, () => sending(new Surveyor(), (surveyor) => surveyor.survey("body"))],
      ["respondentTcp", "respondentIpc", 0x62, answering],
      ["busTcp", "busIpc", 0x70, () => sending(new Bus(), (bus) => bus.send("body"))],
      ["pair0Tcp", "pair0Ipc", 0x10, () => sending(new Pair0(), (pair) => pair.send("body"))],
      ["pair1Tcp", "pair1Ipc", 0x11, () => sending(new Pair1(), (pair) => pair.send("body"))]
    ] as const
  )("%s and %s are what our socket sends", async (tcp, ipc, peer, make) => {
    for (const name of [tcp, ipc]) {
      const isTcp = name.endsWith("Tcp")
      const [directory, remove] = tempDirectory()
      const socket: Socket = make()
      const { address } = await socket.listen(isTcp ? "tcp://127.0.0.1:0" : `ipc://${directory}/s`)
      const first = peer !== 0x62 ? [] : isTcp ? [frame(...stack)] : [Uint8Array.of(1), frame(...stack)]
      const golden = bytesOf(name)

      const raw = await connectRaw(address, Buffer.concat([greeting(peer), ...first]))
      await until("all bytes", () => raw.received().length >= golden.length)

      const received = raw.received()
      // Ids are random; what is fixed is their top bit.
      if (socket instanceof Surveyor) {
        const at = isTcp ? 16 : 17
        for (const bytes of [received, golden]) {
          expect(bytes[at]).toBeGreaterThanOrEqual(0x80)
          bytes.fill(0, at, at + 4)
        }
      }
      expect(received.toString("hex")).toBe(golden.toString("hex"))
      raw.socket.destroy()
      await socket.close()
      remove()
    }
  })
})
