/**
 * `fastworker/client`: what a program needs that defines tasks and submits them, and does not run them. It loads half as much
 * as `fastworker`, whose names these are.
 *
 * @since 0.1.0
 */

export * from "./domain/Errors.ts"
export type { ScheduleDeclaration, ScheduleOptions, TaskSchedule } from "./domain/Schedules.ts"
export * as Task from "./domain/TaskDefinition.ts"
export { connect, layerClient, layerSettings } from "./layers/NodeClient.ts"
export type { ConnectedClient } from "./layers/NodeClient.ts"
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
export * as Handles from "./services/Handles.ts"
export { Settings } from "./services/Settings.ts"
