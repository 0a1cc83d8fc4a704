/** Express 5: a handler that returns a promise needs no `next`. */
import express from "express"
import type { FastWorker } from "fastworker/promise"
import { resize } from "./definitions.ts"
import { messageOf, statusOf } from "./problems.ts"

export const makeApp = (fw: FastWorker) =>
  express()
    .use(express.json())
    .post("/photos", async (request, response) => {
      const { id } = await fw.delay(resize, request.body as { readonly photo: string; readonly width: number })
      response.status(202).json({ id })
    })
    .get("/photos/:id", async (request, response) => {
      response.json(await fw.result(resize, request.params.id))
    })
    .use((error: unknown, _: express.Request, response: express.Response, next: express.NextFunction) => {
      if (response.headersSent) return next(error)
      response.status(statusOf(error)).json({ error: messageOf(error) })
    })
