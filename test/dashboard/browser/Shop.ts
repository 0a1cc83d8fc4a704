/** A control plane with workers, each a process of its own, and what it says over HTTP. */
import { fileURLToPath } from "node:url"
import type { Stats } from "../../../src/domain/Status.ts"
import type { TaskDetail, WorkerRow } from "../../../src/domain/View.ts"
import { Cluster, eventually, freePort } from "../../harness/Cluster.ts"

export const shopTasks = fileURLToPath(new URL("tasks.ts", import.meta.url))
export const hostileTasks = fileURLToPath(new URL("hostile.ts", import.meta.url))

export interface ShopOptions {
  readonly workers?: ReadonlyArray<{ readonly id: string; readonly slots?: number; readonly tasks?: string }>
  readonly namespace?: string
}

export const openShop = async ({ namespace = "shop", workers = [{ id: "wkr-1", slots: 4 }] }: ShopOptions = {}) => {
  const cluster = await Cluster.make()
  const port = await freePort()
  const start = () =>
    cluster.controlPlane([
      "--discovery",
      cluster.discovery,
      "--local",
      "never",
      "--dashboard",
      `127.0.0.1:${port}`,
      "--namespace",
      namespace
    ])
  const startWorker = (id: string, slots = 4, tasks = shopTasks) =>
    cluster.worker(["--id", id, "--concurrency", `${slots}`, "--tasks", tasks, "--namespace", namespace])
  const plane = await start()
  const running = await Promise.all(workers.map(({ id, slots, tasks }) => startWorker(id, slots, tasks)))
  const url = `http://127.0.0.1:${port}`

  const ask = async <A>(path: string): Promise<A> => {
    const response = await fetch(`${url}/api${path}`)
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
    return await response.json() as A
  }
  const post = async <A>(path: string, body: unknown = {}): Promise<A> => {
    const response = await fetch(`${url}/api${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${text}`)
    return (text === "" ? undefined : JSON.parse(text)) as A
  }
  return {
    cluster,
    plane,
    workers: running,
    startWorker,
    /** Starts the control plane again where it was. */
    restart: start,
    url,
    ask,
    post,
    stats: () => ask<Stats>("/stats"),
    task: (id: string) => ask<TaskDetail>(`/tasks/${encodeURIComponent(id)}`),
    worker: async (id: string) =>
      (await ask<{ readonly workers: ReadonlyArray<WorkerRow> }>("/workers")).workers.find((row) => row.id === id),
    /** Submits a task, with more of what the API takes: an id, a priority. */
    submit: async (name: string, args: unknown, more: Readonly<Record<string, unknown>> = {}) =>
      (await post<{ readonly id: string }>("/tasks", { name, args: JSON.stringify(args), ...more })).id,
    /** Waits until what the control plane says is so. */
    until: eventually,
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]()
  }
}

export type Shop = Awaited<ReturnType<typeof openShop>>

/** The work of a small day: what succeeds, what fails, what goes on and what is for later. */
export const fillShop = async (shop: Shop) => {
  const mails = Array.from(
    { length: 12 },
    (_, index) =>
      shop.submit("email.send", { to: `p${index}@example.com`, template: "welcome" }, { id: `mail-${index}` })
  )
  await Promise.all([
    ...mails,
    shop.submit("billing.charge_invoice", { invoice: "INV-1", cents: 1_200 }, { id: "paid" }),
    shop.submit("billing.charge_invoice", { invoice: "INV-2", cents: -1 }, { id: "declined" }),
    shop.submit("webhook.deliver", { endpoint: "https://down.example", event: { id: "e-1", type: "order.paid" } }, {
      id: "timeout"
    }),
    shop.submit("media.transcode", { file: "clip.mp4" }, { id: "clip" }),
    shop.submit("email.send", { to: "later@example.com", template: "reminder" }, { id: "later", in: 3_600_000 })
  ])
  await shop.until("the work of the day", async () => {
    const { failed, running, succeeded } = await shop.stats()
    return failed === 2 && running >= 1 && succeeded >= 13
  })
}
