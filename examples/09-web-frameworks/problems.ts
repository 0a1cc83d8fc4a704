/** What an error of the client is over HTTP, whatever the framework. */
import { InvalidArguments, TaskNotFound } from "fastworker"

export const statusOf = (error: unknown): number =>
  error instanceof InvalidArguments || error instanceof SyntaxError
    ? 400
    : error instanceof TaskNotFound
    ? 404
    // The queue is full, or the control plane does not answer: the caller may try again.
    : 503

export const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)
