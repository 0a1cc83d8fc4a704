/** `app/photos/route.ts` of a Next.js application: a route handler takes a Request and returns a Response. */
import { resize } from "../../definitions.ts"
import { messageOf, statusOf } from "../../problems.ts"
import { fastworker } from "../client.ts"

/** The client speaks TCP: not on the edge. */
export const runtime = "nodejs"

export const POST = async (request: Request): Promise<Response> => {
  try {
    const fw = await fastworker()
    const { id } = await fw.delay(resize, await request.json() as { readonly photo: string; readonly width: number })
    return Response.json({ id }, { status: 202 })
  } catch (error) {
    return Response.json({ error: messageOf(error) }, { status: statusOf(error) })
  }
}

export const GET = async (request: Request): Promise<Response> => {
  try {
    const fw = await fastworker()
    const id = new URL(request.url).searchParams.get("id") ?? ""
    return Response.json(await fw.result(resize, id, { signal: request.signal }))
  } catch (error) {
    return Response.json({ error: messageOf(error) }, { status: statusOf(error) })
  }
}
