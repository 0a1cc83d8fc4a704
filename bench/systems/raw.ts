/**
 * The bytes that the two ceilings carry for a job: what FastWorker's messages have for it, without what is shared by all
 * the tasks of a message, and without anything that would be parsed in between.
 */
import type { Job } from "../work.ts"

const id = "0123456789abcdef0123456789abcdef"
const submitted = (job: Job, size: number) =>
  Buffer.from(`{"id":"${id}","name":"${job.name}","size":${size},"watch":true}\n`)
const outcome = Buffer.from(`{"id":"${id}","name":"add","state":"succeeded","attempt":1,"size":7}\n`)
const newline = 0x0a

/** A zero, which begins no line, and the number of the job. */
const unparsedHead = 5

/** The bytes of a job: a line that is not read, then its arguments. */
export const encodeJob = (job: Job): ReadonlyArray<Buffer> => {
  // Its bytes are what is measured: nothing of a large payload is parsed, only its number and length arrive.
  if (job.name === "size") {
    const head = Buffer.alloc(unparsedHead)
    head.writeUInt32LE(job.args.x, 1)
    return [head, Buffer.from(job.args.data, "latin1")]
  }
  const args = Buffer.from(JSON.stringify(job.args))
  return [submitted(job, args.length), args]
}

/** Does what the bytes ask for, and returns those of the result. */
export const work = (body: Buffer): Buffer => {
  if (body[0] === 0) return result(body.readUInt32LE(1) + body.length - unparsedHead)
  const { x, y } = JSON.parse(body.toString("latin1", body.indexOf(newline) + 1)) as { x: number; y: number }
  return result(x + y)
}

const result = (value: number): Buffer => Buffer.concat([outcome, Buffer.from(String(value))])

export const decodeResult = (body: Buffer): number => Number(body.toString("latin1", outcome.length))
