/**
 * The work that is measured, the same for each system: two tasks, whose arguments are validated by the client and decoded
 * by the worker, and whose results tell for which arguments they were made.
 */
import { Schema } from "effect"
import "effect/schema/SchemaJITCompiler/enable"

/** `add` is what most measures submit; `size` carries as many bytes as its measure wants. */
export const args = {
  add: { x: Schema.Int, y: Schema.Int },
  size: { x: Schema.Int, data: Schema.String }
} as const

export type Job =
  | { readonly name: "add"; readonly args: { readonly x: number; readonly y: number } }
  | { readonly name: "size"; readonly args: { readonly x: number; readonly data: string } }

export const success = Schema.Int

/** What a worker does. */
export const perform = {
  add: ({ x, y }: { readonly x: number; readonly y: number }) => x + y,
  size: ({ data, x }: { readonly x: number; readonly data: string }) => x + data.length
} as const

/** The result that belongs to a job and, as long as the numbers differ, to no other. */
export const expected = (job: Job): number => job.name === "add" ? perform.add(job.args) : perform.size(job.args)

export const makeAdd = (x: number): Job => ({ name: "add", args: { x, y: 1 } })

/** Makes jobs whose arguments have so many bytes as JSON. */
export const makeSize = (bytes: number) => {
  const least = JSON.stringify({ x: 1_000_000, data: "" }).length
  const data = "d".repeat(Math.max(0, bytes - least))
  return (x: number): Job => ({ name: "size", args: { x: 1_000_000 + x, data } })
}

/** For the systems that leave validation to their users: what FastWorker does by itself. */
export const codec = {
  add: {
    encode: Schema.encodeSync(Schema.Struct(args.add)),
    decode: Schema.decodeUnknownSync(Schema.Struct(args.add))
  },
  size: {
    encode: Schema.encodeSync(Schema.Struct(args.size)),
    decode: Schema.decodeUnknownSync(Schema.Struct(args.size))
  },
  result: Schema.decodeUnknownSync(success)
}

export const encode = (job: Job) => job.name === "add" ? codec.add.encode(job.args) : codec.size.encode(job.args)

/** Runs a job as it arrived, decoding its arguments. */
export const work = (name: string, data: unknown): number => {
  if (name === "add") return perform.add(codec.add.decode(data))
  if (name === "size") return perform.size(codec.size.decode(data))
  throw new Error(`there is no task ${name}`)
}
