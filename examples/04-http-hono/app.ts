/** The web service: answers at once with the id of a task, and later with its state and result. */
import { InvalidArguments, TaskNotFound } from "fastworker"
import type { FastWorker } from "fastworker/promise"
import { Hono } from "hono"
import { countPrimes } from "./definitions.ts"

export const makeApp = (fw: FastWorker) =>
  new Hono()
    .post("/primes", async (c) => {
      const { id } = await fw.delay(countPrimes, await c.req.json<{ readonly below: number }>())
      return c.json({ id }, 202, { location: `/tasks/${id}` })
    })
    .get("/tasks/:id", async (c) => {
      const id = c.req.param("id")
      const { state } = await fw.status(id)
      return c.json(state === "succeeded" ? { state, result: await fw.result(countPrimes, id) } : { state })
    })
    .onError((error, c) => {
      if (error instanceof InvalidArguments || error instanceof SyntaxError) {
        return c.json({ error: error.message }, 400)
      }
      if (error instanceof TaskNotFound) return c.json({ error: error.message }, 404)
      // The queue is full, or the control plane does not answer: the caller may try again.
      return c.json({ error: error.message }, 503)
    })
