/** Faults that the simulation must find: each is a small change of a file under `src/layers`. */
export interface Mutant {
  readonly what: string
  readonly file: string
  /** Occurs once. */
  readonly from: string
  readonly to: string
}

const mutant = (file: string, what: string, from: string, to: string): Mutant => ({
  file: `src/layers/${file}.ts`,
  what,
  from,
  to
})

export const mutants: ReadonlyArray<Mutant> = [
  mutant(
    "CoreTasks",
    "a unique key is not released",
    "options.unique.while !== \"period\") uniques.release(task)",
    "options.unique.while !== \"period\") uniques.size()"
  ),
  mutant(
    "CoreTasks",
    "the timer of a task that ended is forgotten",
    "        timers.clear(timer)\n        timerOf.delete(task)\n      }\n    }\n    awaited.delete(task)",
    "        timerOf.delete(task)\n      }\n    }\n    awaited.delete(task)"
  ),
  mutant("CoreTasks", "no timer for a retry", "      counts.retries++\n      setTimer(task)", "      counts.retries++"),
  mutant(
    "CoreTasks",
    "no timer for an expiry after the delay",
    "      enqueue(task)\n      setTimer(task)\n      observer?.queued(task)",
    "      enqueue(task)\n      observer?.queued(task)"
  ),
  mutant("CoreTasks", "a retry is counted twice", "      counts.retries++\n", "      counts.retries += 2\n"),
  mutant(
    "CoreTasks",
    "an attempt that is stopped can expire again",
    "      step(task, \"cancelling\")\n      detailOf(task).stop = stop\n      setTimer(task)",
    "      step(task, \"cancelling\")\n      detailOf(task).stop = stop"
  ),
  mutant(
    "CoreTasks",
    "a delayed task takes its old place",
    "      task.sequence = sequence++\n      enqueue(task)\n      setTimer(task)",
    "      enqueue(task)\n      setTimer(task)"
  ),
  mutant(
    "CoreWorkers",
    "a probation lasts for a task that has ended",
    "    worker.suspectedAt = 0\n",
    ""
  ),
  mutant(
    "CoreTasks",
    "another priority leaves a task in its old place",
    "        task.sequence = sequence++\n        queue.append(task)",
    "        queue.append(task)"
  ),
  mutant(
    "CoreTasks",
    "a task on its last chance that has another priority stands in the queue",
    "task.state === \"queued\" && !suspects.has(task)",
    "task.state === \"queued\""
  ),
  mutant(
    "ControlPlaneJournal",
    "another priority is not stored",
    "    prioritized: changed,\n",
    "    prioritized: () => {},\n"
  ),
  mutant(
    "ControlPlaneJournal",
    "another priority is stored as the first one",
    "      level,\n      leased: worker",
    "      leased: worker"
  ),
  mutant(
    "CoreTasks",
    "a task is not forgotten with its outcome",
    "    counts[state]++\n    tasks.delete(task.id)",
    "    counts[state]++\n    if (state !== \"expired\") tasks.delete(task.id)"
  ),
  mutant(
    "CoreTasks",
    "the bytes of a last chance stay",
    "      if (isTaken) suspectBytes -= task.args.length",
    "      if (isTaken) suspectBytes -= 0"
  ),
  mutant(
    "CoreTasks",
    "who waits is not told",
    "    if (isTold) sessions.deliver(task.watchers, outcome)",
    "    if (isTold && task.attempt < 2) sessions.deliver(task.watchers, outcome)"
  ),
  mutant(
    "CoreTasks",
    "a last chance begins one crash too late",
    "crashes >= settings.maxCrashes - 1",
    "crashes >= settings.maxCrashes"
  ),
  mutant(
    "CoreTasks",
    "what could not be stored stays",
    "      counts.submitted--\n      tasks.delete(task.id)",
    "      counts.submitted--"
  ),
  mutant(
    "CoreWorkers",
    "an old attempt may report",
    "task.worker !== worker || task.attempt !== report.attempt) {\n        counts.lateReports++",
    "task.worker !== worker || task.attempt < report.attempt) {\n        counts.lateReports++"
  ),
  mutant(
    "CoreWorkers",
    "anybody may report",
    "if (task === undefined || task.worker !== worker || task.attempt !== report.attempt) {",
    "if (task === undefined || task.worker === undefined || task.attempt !== report.attempt) {"
  ),
  mutant(
    "CoreWorkers",
    "an ended task keeps its place in a limit",
    "for (const { key, name } of limits.ended(task.name, keyOf(task), now)) queue.unpark(name, key)",
    "if (task.attempt < 2) for (const { key, name } of limits.ended(task.name, keyOf(task), now)) queue.unpark(name, key)"
  ),
  mutant(
    "CoreWorkers",
    "lanes are not unparked",
    "for (const { key, name } of limits.ended(task.name, keyOf(task), now)) queue.unpark(name, key)",
    "limits.ended(task.name, keyOf(task), now)"
  ),
  mutant(
    "CoreWorkers",
    "what is being stopped is queued again",
    "    if (task.state === \"cancelling\") life.finish(task, stopOf(task), now)\n    else life.requeue(task, cause, now)",
    "    life.requeue(task, cause, now)"
  ),
  mutant(
    "CoreWorkers",
    "a retry is counted as a crash",
    "else life.retry(task, now, dueAt, reason, body, report.span)",
    "else { task.crashes++; life.retry(task, now, dueAt, reason, body, report.span) }"
  ),
  mutant(
    "CoreWorkers",
    "a crash is not counted",
    "      counts.crashes++\n        task.crashes++\n",
    "      counts.crashes++\n"
  ),
  mutant(
    "CoreWorkers",
    "a task may crash once more",
    "if (task.crashes >= settings.maxCrashes ||",
    "if (task.crashes > settings.maxCrashes ||"
  ),
  mutant(
    "CoreWorkers",
    "the number of an attempt is given again",
    "    task.attempt++\n    task.leaseExchange",
    "    task.attempt += task.attempt === 0 ? 1 : 0\n    task.leaseExchange"
  ),
  mutant(
    "CoreWorkers",
    "a lease that was not received is kept",
    "if (!isHeld && task.leaseExchange <= settled) handBack(worker, task, now)",
    "if (!isHeld && task.leaseExchange < settled) handBack(worker, task, now)"
  ),
  mutant(
    "CoreWorkers",
    "an order to stop is given once",
    "else if (isHeld && task.state === \"cancelling\") order(worker, task.id)",
    ""
  ),
  mutant(
    "CoreWorkers",
    "a registration does not say what to stop",
    "if (task.state === \"cancelling\") cancel.push(task.id)",
    ""
  ),
  mutant("CoreWorkers", "last chances are never counted off", "    worker.suspects--\n", ""),
  mutant(
    "CoreWorkers",
    "paused types start",
    "dispatcher.pick(name) !== undefined && !pauses.isPaused(name) && limits",
    "dispatcher.pick(name) !== undefined && limits"
  ),
  mutant(
    "CoreWorkers",
    "last chances start while paused",
    "if (pauses.isPaused(name) || !limits.admitsName",
    "if (!limits.admitsName"
  ),
  mutant(
    "CoreWorkers",
    "last chances ignore limits per key",
    "|| !limits.admitsKey(name, keyOf(task), now)) continue",
    ") continue"
  ),
  mutant(
    "CoreWorkers",
    "a worker that comes back is not paused",
    "paused: pauses.isWorkerPaused(id),",
    "paused: false,"
  ),
  mutant(
    "CoreWorkers",
    "adopted leases do not count towards limits",
    "    take(worker, task)\n    limits.started(task.name, keyOf(task), now)\n    life.setTimer(task)",
    "    take(worker, task)\n    life.setTimer(task)"
  ),
  mutant(
    "CoreWorkers",
    "who leaves counts as crashed",
    "      for (const task of worker.leases) {\n        release(worker, task, now)\n        giveBack(task, \"handed back\", now)\n      }\n      registry.remove(worker)",
    "      for (const task of worker.leases) {\n        release(worker, task, now)\n        task.crashes++\n        giveBack(task, \"handed back\", now)\n      }\n      registry.remove(worker)"
  ),
  mutant(
    "CoreAdmission",
    "the same id is a second task",
    "if (isSame) return join(id, watcher, now)",
    "if (isSame && known === undefined) return join(id, watcher, now)\n        if (isSame) life.tasks.delete(id)"
  ),
  mutant(
    "CoreAdmission",
    "the same id with other arguments is accepted",
    "known.name === name && Body.isSame(known.args, args)",
    "known.name === name"
  ),
  mutant(
    "CoreAdmission",
    "a unique key of an accepted task is not held",
    "const full = unique === undefined ? undefined : uniques.hold(task, now)",
    "const full = unique === undefined || dueAt > now ? undefined : uniques.hold(task, now)"
  ),
  mutant("CoreAdmission", "what is replaced goes on", "if (replaced !== undefined) cancel(replaced, now)", ""),
  mutant(
    "CoreAdmission",
    "the queue has room for one more",
    "if (waiting >= maxWaiting ||",
    "if (waiting > maxWaiting ||"
  ),
  mutant(
    "CoreAdmission",
    "a task may run before it is stored",
    "if (!isDurable) life.settle(task, now)",
    "life.settle(task, now)"
  ),
  mutant(
    "CoreAdmission",
    "what comes back does not hold its unique key",
    "if (held === \"unfinished\" || (held",
    "if ((held"
  ),
  mutant("CoreAdmission", "what comes back is not waited for", "if (isLeased) life.await(task)\n", ""),
  mutant("CoreAdmission", "a retry is still dead", "else forgetDead(id)\n", ""),
  mutant(
    "CoreAdmission",
    "a dead task is forgotten before its retry is stored",
    "if (isDurable && life.tasks.get(submitted.success)",
    "if (!isDurable && life.tasks.get(submitted.success)"
  ),
  mutant(
    "ControlPlaneCore",
    "an overlapping schedule submits",
    "if (last !== undefined && overlap === \"skip\") return",
    "if (last !== undefined && last.worker !== undefined && overlap === \"skip\") return"
  ),
  mutant(
    "ControlPlaneCore",
    "an expired task is queued",
    "const isExpired = task.detail !== undefined && task.detail.expiresAt <= now",
    "const isExpired = task.detail !== undefined && task.detail.expiresAt < now - 50"
  ),
  mutant(
    "ControlPlaneCore",
    "tokens wake nobody",
    "for (const { key, name } of limits.wake(now)) queue.unpark(name, key)",
    "limits.wake(now)"
  ),
  mutant(
    "TaskQueuePriority",
    "a priority is passed over too often",
    "let most = Math.max(1, maxPassed) - 1",
    "let most = Math.max(1, maxPassed) + 5"
  ),
  mutant(
    "UniqueKeys",
    "a key is free before its period is over",
    "unique.while === \"period\" ? now + (unique.period ?? 0)",
    "unique.while === \"period\" ? now + (unique.period ?? 0) / 2"
  ),
  mutant(
    "UniqueKeys",
    "anybody releases a key",
    "if (holder?.id === id) remove(holder)",
    "if (holder !== undefined) remove(holder)"
  ),
  mutant(
    "Timers",
    "a timer is due too early",
    "first.at > now) return undefined",
    "first.at > now + 5) return undefined"
  ),
  mutant(
    "ScheduleBook",
    "what was missed is made up for once",
    "if (catchUp === \"all\" ||",
    "if (catchUp === \"skip\" ||"
  ),
  mutant(
    "DispatcherLeastLoaded",
    "a full worker is given more",
    "if (credit(worker) <= 0) leaveHeap(heap, worker)",
    "if (credit(worker) < 0) leaveHeap(heap, worker)"
  ),
  mutant("DispatcherLeastLoaded", "a worker that is gone is given tasks", "      leaveHeap(group.heap, worker)\n", ""),
  mutant(
    "Sessions",
    "an outcome is told once, heard or not",
    "const count = Math.min(number - session.acked, session.outbox.length - session.head)",
    "const count = Math.min(number + 1 - session.acked, session.outbox.length - session.head)"
  ),
  mutant("Sessions", "numbers of outcomes come again", "        acked: delivered,", "        acked: 0,"),
  mutant(
    "ControlPlaneJournal",
    "a caller is told before it is stored",
    "      if (journal.committed() >= position) run()",
    "      if (journal.committed() >= position - 2) run()"
  ),
  mutant("ControlPlaneJournal", "attempts are not stored", "    started: changed,", "    started: () => {},"),
  mutant("ControlPlaneJournal", "retries are not stored", "    retrying: changed,", "    retrying: () => {},"),
  mutant(
    "ControlPlaneJournal",
    "delays begin again",
    "expiresAt: typeof detail?.expiresAt === \"number\" ? fromWall(detail.expiresAt) : Infinity,",
    "expiresAt: Infinity,"
  ),
  mutant(
    "ControlPlaneJournal",
    "what was to stop goes on after a restart",
    "if (detail?.stop === \"cancelled\") core.cancel(task.id, now())",
    ""
  ),
  mutant("ControlPlaneJournal", "a refused task stays", "            core.refused(task)\n", ""),
  mutant(
    "ControlPlaneJournal",
    "pauses do not come back",
    "for (const [target] of contents.values.pause) core.pauses.pause(target)",
    ""
  ),
  mutant(
    "ControlPlaneOperations",
    "a retry is said to be accepted before it is stored",
    "tell(failure === undefined ? made : Result.fail(failure))",
    "tell(made)"
  ),
  mutant(
    "ControlPlaneClients",
    "a copy of what was refused is accepted",
    "    if (before !== undefined) {\n      if (before.count",
    "    if (before !== undefined && before.refused.length === 0) {\n      if (before.count"
  ),
  mutant(
    "ControlPlaneClients",
    "a copy of what was accepted is refused",
    "    if (before !== undefined) {\n      if (before.count",
    "    if (before !== undefined && (before.ids !== undefined || before.refused.length > 0)) {\n      if (before.count"
  ),
  mutant(
    "ControlPlaneClients",
    "a copy is answered before the first one is on disk",
    ": journaling.whenStored(before.ids ?? tasks.map(({ id }) => id ?? null), reply)",
    ": reply()"
  ),
  mutant(
    "ControlPlaneWorkers",
    "a resent exchange is never answered",
    "if (link.waitingSeq !== seq) link.waitingSince = time",
    "link.waitingSince = time"
  ),
  mutant(
    "ControlPlaneWorkers",
    "a resent exchange is taken twice",
    "    if (stored !== undefined) return request.reply(stored.payload)\n",
    ""
  ),
  mutant(
    "CoreWorkers",
    "two last chances on one worker",
    "(worker) => worker.suspects === 0 || now - worker.suspectedAt >= probationMillis",
    "() => true"
  ),
  mutant(
    "CoreWorkers",
    "a task that has proven itself is blamed",
    "if (began && (culprit === undefined || task === culprit)) {",
    "if (began) {"
  ),
  mutant(
    "Limits",
    "limits do not know what runs already",
    "if (type === undefined) types.set(name, type = makeType(name))",
    "if (type === undefined) return"
  ),
  mutant(
    "ControlPlaneCore",
    "nobody is told to stop",
    "else stop(task, \"cancelled\")",
    "else life.stop(task, \"cancelled\")"
  ),
  mutant(
    "Limits",
    "one more runs at once",
    "bound !== undefined && running >= bound",
    "bound !== undefined && running > bound"
  ),
  mutant(
    "Limits",
    "a token is used too early",
    "since + (used + 1 - limit) * interval",
    "since + (used + 0.5 - limit) * interval"
  ),
  mutant("Limits", "keys are never forgotten", "    types.get(name)?.keys.delete(key)\n", ""),
  mutant(
    "Limits",
    "a token that was not used is lost",
    "Math.max(0, usedAt(rate, gauge, now) - 1)",
    "usedAt(rate, gauge, now)"
  ),
  mutant(
    "Limits",
    "a refusal is not remembered",
    "    gauge.lacks = lacks\n",
    "    gauge.lacks = lacks === \"place\" ? undefined : lacks\n"
  ),
  mutant(
    "Limits",
    "the timer of a token is not set",
    "if (lacks === \"token\" && gauge.rate !== undefined) setTimer",
    "if (lacks === \"token\" && gauge.key === \"\" && gauge.rate !== undefined) setTimer"
  ),
  mutant(
    "Limits",
    "used tokens are new with another rate",
    "gauge.used = rate === undefined ? 0 : Math.min(used, rate.limit)",
    "gauge.used = rate === undefined ? 0 : used - 2 * rate.limit"
  ),
  mutant(
    "TaskQueuePriority",
    "low priority first",
    "for (const number of levelNumbers) {\n        const { lanes, size }",
    "for (const number of levelNumbers.toReversed()) {\n        const { lanes, size }"
  ),
  mutant("Flows", "weights do not count", "flow.pass = level.time + 1 / flow.weight", "flow.pass = level.time + 1"),
  mutant(
    "Flows",
    "what is ahead is forgotten",
    "if (flow.pass <= level.time) {\n        keyed.delete(flow.key)",
    "if (flow.pass >= 0) {\n        keyed.delete(flow.key)"
  ),
  mutant(
    "Flows",
    "a flow makes up for what it could not start",
    "level.time = Math.max(level.time, flow.pass)\n      flow.pass = level.time + 1 / flow.weight",
    "level.time = Math.max(level.time, flow.pass)\n      flow.pass += 1 / flow.weight"
  ),
  mutant(
    "Lanes",
    "what is restored goes last",
    "      insertAfter(lane, previous, task)\n      lane.restored = task",
    "      insertAfter(lane, lane.tail, task)\n      lane.restored = task"
  ),
  mutant(
    "Lanes",
    "a parked lane is lost",
    "      dropParked(name, keys, limitKey)\n      reopen(lanes)",
    "      dropParked(name, keys, limitKey)\n      reopen(lanes.slice(1))"
  ),
  mutant(
    "Lanes",
    "a stale place is taken for the right one",
    "if (group.at !== group.flow.pass) settleGroup(group)\n          else if",
    "if (group.at > group.flow.pass) settleGroup(group)\n          else if"
  ),
  mutant(
    "Timers",
    "a timer that is moved stays where it was",
    "        timer.at = at\n        timer.order = order++\n        Heap.moved",
    "        timer.at = Math.max(at, timer.at)\n        timer.order = order++\n        Heap.moved"
  ),
  mutant("Heap", "a heap has its order by halves", "if (entry.index === index) up(heap, entry)", ""),
  mutant(
    "ScheduleBook",
    "what is paused submits",
    "const passed = record.paused || record.nextAt === undefined",
    "const passed = record.nextAt === undefined"
  ),
  mutant(
    "ScheduleBook",
    "a clock that is set back silences an interval",
    "lastAt !== undefined && at <= lastAt ?",
    "lastAt !== undefined && at < 0 ?"
  ),
  mutant(
    "ControlPlaneJournal",
    "the key of a task that was refused is held",
    "if (unique?.while === \"period\" && core.uniques.find(task.name, unique.key, now()) === undefined) {",
    "if (unique?.while === \"waiting\") {"
  )
]
