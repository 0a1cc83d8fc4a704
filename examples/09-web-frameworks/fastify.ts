/** Fastify: the client is made once, and closed with the server. */
import fastify from "fastify"
import type { FastWorker } from "fastworker/promise"
import { resize } from "./definitions.ts"
import { messageOf, statusOf } from "./problems.ts"

export const makeApp = (fw: FastWorker) => {
  const app = fastify()
  app.post<{ readonly Body: { readonly photo: string; readonly width: number } }>("/photos", async (request, reply) => {
    const { id } = await fw.delay(resize, request.body)
    return reply.status(202).send({ id })
  })
  app.get<{ readonly Params: { readonly id: string } }>(
    "/photos/:id",
    (request) => fw.result(resize, request.params.id)
  )
  app.setErrorHandler((error, _, reply) => reply.status(statusOf(error)).send({ error: messageOf(error) }))
  return app
}
