/**
 * Next.js loads a route's module again when it changes in development; the client outlives that, so that there is one
 * connection and not one for every change. In production this is one per process.
 */
import { FastWorker } from "fastworker/promise"

const shared = globalThis as { fastworker?: Promise<FastWorker> }

/** Found by announcements on this address; by default on the usual one of this machine. */
const { FASTWORKER_DISCOVERY: discovery } = process.env

export const fastworker = (): Promise<FastWorker> =>
  shared.fastworker ??= FastWorker.connect(discovery === undefined ? {} : { discovery })
