/**
 * FastWorker: a brokerless task queue. The public names, in the order in which a task meets them.
 *
 * @since 0.1.0
 */

/** Define tasks, what runs around them and when: `Task.define`, `Task.make`, `Task.middleware`, `Task.every`, `Task.cron`, `Task.sensitive`. */
export type { ScheduleDeclaration, ScheduleOptions, TaskSchedule } from "./domain/Schedules.ts"
export * as Task from "./domain/TaskDefinition.ts"
/** What a handler can ask about the task that it runs. */
export { TaskContext } from "./domain/TaskContext.ts"
/** Submit tasks and get their results. */
export { Client } from "./services/Client.ts"
export type {
  EventFilter,
  EventsDropped,
  ManyOptions,
  PauseTarget,
  SubmitOptions,
  TaskFilter,
  TaskHandle
} from "./services/Client.ts"
/** Wait for many tasks: `Handles.all`, `Handles.asCompleted`, `Handles.first`. */
export * as Handles from "./services/Handles.ts"
/** Every failure that a caller can see. */
export * from "./domain/Errors.ts"
/** The roles of processes as layers: client, control plane, worker. */
export { layerControlPlane, layerControlPlaneServer, layerCore, layerLocalWorker, layerWorker } from "./layers/Node.ts"
export { connect, layerClient, layerSettings } from "./layers/NodeClient.ts"
export type { ConnectedClient } from "./layers/NodeClient.ts"
/** The handlers of a process. */
export * as TaskRegistryModules from "./layers/TaskRegistryModules.ts"
/** The services that these roles are made of. */
export { ControlPlane } from "./services/ControlPlane.ts"
export { Dispatcher } from "./services/Dispatcher.ts"
export { EventBus } from "./services/EventBus.ts"
export { ResultCache } from "./services/ResultCache.ts"
export { Settings } from "./services/Settings.ts"
export { TaskQueue } from "./services/TaskQueue.ts"
export { TaskRegistry } from "./services/TaskRegistry.ts"
export { Worker } from "./services/Worker.ts"
export { WorkerRegistry } from "./services/WorkerRegistry.ts"
