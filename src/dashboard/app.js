// Shows what the control plane says of itself, once a second. What comes from tasks and workers is set as text only.

const pollMillis = 1_000
const answerMillis = 5_000
const rateMillis = 5_000
const chartSeconds = 120
const maxShown = { tasks: 50, types: 50, workers: 10, cells: 32 }
const priorities = ["critical", "high", "normal", "low"]
const stateWords = {
  delayed: "Delayed",
  queued: "Waiting",
  running: "Running",
  cancelling: "Stopping",
  succeeded: "Succeeded",
  failed: "Failed",
  cancelled: "Cancelled",
  expired: "Expired"
}
/** States that look like another one. */
const stateIcons = { delayed: "queued", cancelling: "running", expired: "cancelled" }
const reasonWords = {
  error: "declared error",
  defect: "exception",
  arguments: "bad arguments",
  crash: "workers lost",
  unknown: "no handler",
  size: "result too large"
}

const byId = (id) => document.getElementById(id)
const integer = new Intl.NumberFormat("en")
const decimal = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" })
const count = (number) => integer.format(number)
const rate = (perSecond) => perSecond >= 100 ? count(Math.round(perSecond)) : decimal.format(perSecond)
const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`

/** 12 ms, 3.4 s, 1 m 40 s, 3 h 5 m, 6 d 4 h. */
const duration = (millis) => {
  if (millis < 1_000) return `${Math.max(0, Math.round(millis))}\u202fms`
  if (millis < 9_950) return `${decimal.format(millis / 1_000)}\u202fs`
  const seconds = Math.round(millis / 1_000)
  const units = [[86_400, "d"], [3_600, "h"], [60, "m"], [1, "s"]]
  const at = units.findIndex(([size]) => seconds >= size)
  return units.slice(at, at + 2).map(([size, unit], index) => {
    const amount = Math.floor((index === 0 ? seconds : seconds % units[at][0]) / size)
    return amount === 0 ? "" : `${amount}\u202f${unit}`
  }).join(" ").trim()
}
const ago = (millis) => millis < 1_500 ? "just now" : `${duration(Math.round(millis / 1_000) * 1_000).replace(".0", "")} ago`

/** Writes only what changed, so that a selection and a screen reader are left alone. */
const write = (element, text) => {
  if (element.textContent !== text) element.textContent = text
}
const set = (element, name, value) => {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}
/** Gives a list one element for each item; elements stay where they are from poll to poll. */
const fill = (list, template, items, show) => {
  while (list.childElementCount > items.length) list.lastElementChild.remove()
  while (list.childElementCount < items.length) list.append(byId(template).content.firstElementChild.cloneNode(true))
  items.forEach((item, index) => show(list.children[index], item))
}

let samples = []
let lastSeen
let showsAllWorkers = false
let latest

const selectedState = () => {
  const state = location.hash.slice(1)
  return state in stateWords ? state : undefined
}
const finishedOf = (stats) => stats.succeeded + stats.failed + stats.cancelled + stats.expired
const startedOf = (stats) => stats.running + stats.succeeded + stats.failed
const isWorking = (worker) => worker.state !== "lost"
const sum = (items, value) => items.reduce((total, item) => total + value(item), 0)

/** How fast a count rises per second, over the last few seconds; undefined until there are two samples. */
const rateOf = (value) => {
  const last = samples.at(-1)
  const first = samples.findLast(({ at }) => last.at - at >= rateMillis) ?? samples[0]
  return first === last ? undefined : (value(last.stats) - value(first.stats)) / (last.at - first.at) * 1_000
}

/** Whether the queue grew almost all the time lately: a burst does not count. */
const hasGrown = () => {
  const recent = samples.slice(-11).map(({ stats }) => stats.waiting)
  return recent.filter((waiting, index) => waiting > recent[index - 1]).length >= 8
}

/** The state of the system in words: a verdict, what it rests on, and what to do about it. */
const inWords = ({ stats, tasks, types, workers }) => {
  const slots = sum(workers.filter(isWorking), (worker) => worker.slots)
  const busy = `${count(stats.running)} of ${plural(slots, "slot")}`
  const waiting = stats.waiting === 0 ? "nothing is waiting" : `${plural(stats.waiting, "task")} waiting`
  const handled = new Set(types.filter((type) => type.workers.length > 0).map(({ name }) => name))
  const queued = tasks.filter(({ state }) => state === "queued").map(({ name }) => name)
  const orphans = [...new Set(queued.filter((name) => !handled.has(name)))]
  const lost = workers.filter(({ state }) => state === "lost").map(({ id }) => id)
  const ending = rateOf(({ failed, succeeded }) => succeeded + failed)
  const growing = rateOf((stats) => stats.waiting) ?? 0
  const notes = []
  if (lost.length > 0) notes.push(`Lost: ${lost.join(", ")}. The tasks of a lost worker run elsewhere.`)
  if (stats.upMillis < 60_000 && lastSeen?.restarted) notes.push("The control plane was restarted: counts began anew.")

  if (stats.draining) return ["warn", "Shutting down.", `${busy} still run, ${waiting}. New tasks are refused.`, notes]
  if (orphans.length > 0) {
    const names = orphans.length > 3 ? `${orphans.slice(0, 3).join(", ")} and others` : orphans.join(", ")
    notes.unshift("Start a worker with a handler: fastworker worker --tasks FILE")
    return ["bad", `No worker can run ${names}.`, `${busy} busy, ${waiting}.`, notes]
  }
  if (stats.waiting === 0 && stats.running === 0) {
    if (slots === 0) notes.push("No worker is connected. Start one: fastworker worker --tasks FILE")
    return ["ok", "Idle.", "Nothing is waiting.", notes]
  }
  if (hasGrown() && growing > Math.max(1, ending * .05)) {
    const pace = `${rate(ending)} finish per second and the queue grows by ${rate(growing)} per second.`
    return ["warn", "Falling behind:", `${busy} busy, ${waiting}.`, [`${pace} More workers would help.`, ...notes]]
  }
  if (stats.waiting > 0 && growing < -.5) {
    notes.unshift(`At this pace the queue is empty in ${duration(Math.max(1_000, stats.waiting / -growing * 1_000))}.`)
  }
  return ["ok", "Busy:", `${busy}, ${waiting}.`, notes]
}

const showWorker = (element, worker) => {
  const [dot, name, label, cells, share] = element.children
  set(element, "data-state", worker.state)
  set(dot, "class", `dot ${worker.state}`)
  write(name, worker.id)
  set(name, "title", [worker.id, worker.about.host, worker.about.runtime].filter(Boolean).join(" · "))
  write(label, worker.state === "active" ? worker.local ? "local" : "" : worker.state)
  write(share, isWorking(worker) ? `${count(worker.running)}/${count(worker.slots)}` : "–")
  set(cells, "aria-label", `${worker.running} of ${plural(worker.slots, "slot")} busy`)
  const total = Math.min(worker.slots, maxShown.cells)
  const busy = Math.ceil(worker.running / worker.slots * total)
  while (cells.childElementCount > total) cells.lastElementChild.remove()
  while (cells.childElementCount < total) cells.append(document.createElement("i"))
  for (const [index, cell] of [...cells.children].entries()) cell.classList.toggle("busy", index < busy)
}

const showTask = (now) => (element, task) => {
  const [id, name, state, level, worker, took, submitted] = element.children
  write(id.firstChild, task.id.length > 12 ? `${task.id.slice(0, 8)}…` : task.id)
  set(id, "title", task.id)
  write(name.firstChild, task.name)
  set(name, "title", task.name)
  const [icon, word, why] = state.children
  set(state, "data-state", task.state)
  set(icon.firstElementChild, "href", `#icon-${stateIcons[task.state] ?? task.state}`)
  write(word, stateWords[task.state])
  write(why, task.reason === undefined ? task.attempt > 1 ? `attempt ${task.attempt}` : "" : reasonWords[task.reason] ?? task.reason)
  set(state, "title", task.waiting ?? "")
  set(level, "data-priority", task.priority)
  write(level.lastElementChild, task.priority)
  write(worker, task.worker ?? "–")
  set(worker, "title", task.worker ?? "")
  write(took, task.startedAt === undefined ? "–" : duration((task.finishedAt ?? now) - task.startedAt))
  write(submitted.firstElementChild, ago(now - task.submittedAt))
  set(submitted.firstElementChild, "datetime", new Date(task.submittedAt).toISOString())
  set(submitted, "title", new Date(task.submittedAt).toLocaleString())
}

const showType = (element, type) => {
  const [name, level, description, workers] = element.children
  write(name, type.name)
  set(name, "title", type.name)
  write(level, type.priority ?? "normal")
  write(description, type.description ?? "")
  const others = type.workers.length - 2
  const names = type.workers.slice(0, 2).join(", ")
  write(workers, names === "" ? "no worker now" : others > 0 ? `${names} and ${plural(others, "other")}` : names)
  set(workers, "title", type.workers.join(", "))
  workers.classList.toggle("warn", type.workers.length === 0)
}

/** Finished tasks per second of the last two minutes: succeeded upwards, failed downwards. */
const showChart = () => {
  const now = samples.at(-1).at
  const bars = samples.slice(1).map((sample, index) => {
    const before = samples[index]
    const perSecond = (key) => (sample.stats[key] - before.stats[key]) / (sample.at - before.at) * 1_000
    const x = (chartSeconds - (now - sample.at) / 1_000) * 2 - 1
    return { x: x.toFixed(1), succeeded: perSecond("succeeded"), failed: perSecond("failed") }
  })
  const peak = Math.max(0, ...bars.map(({ failed, succeeded }) => Math.max(succeeded, failed)))
  const draw = (key, height) =>
    bars.filter((bar) => bar[key] > 0).map((bar) =>
      `M${bar.x} 28v${(height * Math.max(bar[key] / peak, .06)).toFixed(1)}`
    ).join("")
  set(byId("bars-succeeded"), "d", draw("succeeded", -27))
  set(byId("bars-failed"), "d", draw("failed", 12))
  write(byId("peak"), peak === 0 ? "Nothing finished lately" : `peak ${rate(peak)} per s`)
}

const show = (view) => {
  const { now, stats, tasks, types, workers } = view
  for (const element of document.querySelectorAll("[data-stat]")) {
    write(element, count(element.dataset.stat.split(".").reduce((value, key) => value[key], stats)))
  }
  write(byId("namespace"), stats.namespace)
  write(byId("about"), `v${stats.version} · up ${duration(Math.floor(stats.upMillis / 1_000) * 1_000).replace(".0", "")}`)

  const [tone, verdict, detail, notes] = inWords(view)
  set(byId("verdict"), "class", tone)
  write(byId("verdict"), verdict)
  write(byId("detail"), detail)
  write(byId("note"), notes.join(" "))
  document.title = `${verdict} ${detail} · FastWorker`

  const arriving = rateOf(({ submitted }) => submitted)
  write(byId("arriving"), arriving === undefined ? "" : `${rate(arriving)} arrive per s`)
  write(byId("starting"), rate(Math.max(0, rateOf(startedOf) ?? 0)))
  write(byId("finishing"), rate(Math.max(0, rateOf(finishedOf) ?? 0)))
  const widest = Math.max(9, ...Object.values(stats.waitingByPriority))
  for (const priority of priorities) {
    const lane = document.querySelector(`.lane[data-priority=${priority}]`)
    const waiting = stats.waitingByPriority[priority]
    const change = rateOf(({ waitingByPriority }) => waitingByPriority[priority]) ?? 0
    const width = waiting === 0 ? 0 : Math.max(4, Math.log1p(waiting) / Math.log1p(widest) * 100)
    lane.querySelector(".bar > i").style.width = `${width}%`
    const isSteady = Math.abs(change) < .05
    write(lane.querySelector(".change"), isSteady ? "±0/s" : `${change > 0 ? "+" : "−"}${rate(Math.abs(change))}/s`)
    lane.querySelector(".change").classList.toggle("warn", change > 1)
  }

  const working = workers.filter(isWorking)
  write(byId("slots"), `${count(stats.running)} of ${plural(sum(working, ({ slots }) => slots), "slot")}`)
  write(byId("connected"), `${working.length === workers.length ? "" : `${working.length} of `}${plural(workers.length, "worker")}`)
  // Those that need attention first, when not all are shown.
  const notable = [...workers].sort((a, b) => (a.state === "active") - (b.state === "active"))
  const hidden = Math.max(0, workers.length - maxShown.workers)
  fill(byId("workers"), "worker", hidden > 0 && !showsAllWorkers ? notable.slice(0, maxShown.workers) : workers, showWorker)
  byId("more-workers").hidden = hidden === 0
  write(byId("more-workers"), showsAllWorkers ? "Show fewer" : `and ${count(hidden)} more`)

  const finished = finishedOf(stats)
  write(byId("finished-count"), count(finished))
  for (const state of ["succeeded", "failed", "cancelled", "expired"]) {
    const share = finished === 0 ? "" : `${decimal.format(stats[state] / finished * 100)}\u202f%`
    write(document.querySelector(`.outcome[data-state=${state}] .share`), share)
  }
  showChart()

  const state = selectedState()
  const selected = tasks.filter((task) => state === undefined || task.state === state)
  fill(byId("task-rows"), "task", selected.slice(0, maxShown.tasks), showTask(now))
  for (const tab of document.querySelectorAll(".tabs a")) {
    if (tab.hash === `#${state ?? "all"}`) set(tab, "aria-current", "true")
    else tab.removeAttribute("aria-current")
  }
  byId("no-tasks").hidden = selected.length > 0
  const none = stats.submitted === 0 ? "No task was submitted yet." : "No task is waiting or running, and no outcome is kept."
  write(byId("no-tasks"), state === undefined ? none : `No task is in the state “${stateWords[state]}”.`)
  fill(byId("type-rows"), "type", types.slice(0, maxShown.types), showType)
  byId("no-types").hidden = types.length > 0
  write(byId("type-count"), types.length === 0 ? "" : count(types.length))
}

const showProblem = (problem) => {
  const since = lastSeen === undefined ? "" : ` since ${clock.format(lastSeen.at)}`
  const reason = problem.name === "TimeoutError" ? "it is too slow" : problem.name === "TypeError" ? "" : problem.message
  document.body.classList.add("offline")
  document.title = "No connection · FastWorker"
  set(byId("verdict"), "class", "bad")
  write(byId("live"), "No connection")
  write(byId("verdict"), "The control plane can’t be reached.")
  write(byId("detail"), `No answer${since}${reason === "" ? "" : `: ${reason}`}.`)
  write(byId("note"), `${lastSeen === undefined ? "" : "These are the last numbers. "}Trying again every second.`)
}

const ask = async (path) => {
  const response = await fetch(`api/${path}`, { signal: AbortSignal.timeout(answerMillis) })
  if (!response.ok) throw new Error(`it answered ${response.status} ${response.statusText}`)
  return { body: await response.json(), date: Date.parse(response.headers.get("date") ?? "") }
}

const poll = async () => {
  const answers = await Promise.all(["stats", "workers", "task-types", "tasks"].map(ask)).catch(showProblem)
  if (answers === undefined) return
  const [{ body: stats, date }, { body: { workers } }, { body: { tasks: types } }, { body: { tasks } }] = answers
  const at = performance.now()
  const isSame = samples.at(-1)?.stats.epoch === stats.epoch
  lastSeen = { at: Date.now(), restarted: lastSeen?.restarted || samples.length > 0 && !isSame }
  samples = [...samples.filter((sample) => isSame && at - sample.at <= chartSeconds * 1_000), { at, stats }]
  // Ages by the clock of the control plane, which says only seconds, when the one here is wrong.
  const now = Math.abs(Date.now() - date) > 2_000 ? date : Date.now()
  latest = { now, stats, workers, types, tasks }
  document.body.classList.remove("offline")
  write(byId("live"), "Live")
  show(latest)
}

/** One poll after the other while the page can be seen; `wake` asks at once. */
let wake = () => {}
const run = async () => {
  for (;;) {
    if (!document.hidden) await poll()
    await new Promise((resolve) => {
      const timer = document.hidden ? undefined : setTimeout(resolve, pollMillis)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
document.addEventListener("visibilitychange", () => wake())
addEventListener("hashchange", () => latest && show(latest))
byId("more-workers").addEventListener("click", () => {
  showsAllWorkers = !showsAllWorkers
  show(latest)
})
void run()
