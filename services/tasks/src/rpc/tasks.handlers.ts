import { z } from 'zod';
import { fieldTypes, parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { requireUser, type Handlers } from '#libs/grpc';
import {
  type GetTaskRequest,
  type GetTaskStatsRequest,
  type ListTaskEventsRequest,
  type SyncTasksRequest,
  type TasksServiceService,
  type WatchTasksRequest,
} from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { batchGetTasks } from '../use-cases/batch-get-tasks.ts';
import { batchCreateTasks } from '../use-cases/batch-create-tasks.ts';
import { batchUpdateTasks } from '../use-cases/batch-update-tasks.ts';
import { batchDeleteTasks } from '../use-cases/batch-delete-tasks.ts';
import { createTask } from '../use-cases/create-task.ts';
import { deleteTask } from '../use-cases/delete-task.ts';
import { getTask } from '../use-cases/get-task.ts';
import { getTaskStats, type GetTaskStatsInput } from '../use-cases/get-task-stats.ts';
import { listTaskEvents, type ListTaskEventsInput } from '../use-cases/list-task-events.ts';
import { listTasks } from '../use-cases/list-tasks.ts';
import { moveTask } from '../use-cases/move-task.ts';
import { reorderTask } from '../use-cases/reorder-task.ts';
import { undeleteTask } from '../use-cases/undelete-task.ts';
import { syncTasks, type SyncTasksInput } from '../use-cases/sync-tasks.ts';
import { updateTask } from '../use-cases/update-task.ts';
import { watchTasks, type WatchTasksInput } from '../use-cases/watch-tasks.ts';
import { listTaskWatchers } from '../use-cases/watchers/list-task-watchers.ts';
import { startWatchingTask, stopWatchingTask } from '../use-cases/watchers/set-watching.ts';
import { readListTasks } from './list-tasks.request.ts';
import {
  readBatchCreateTasks,
  readBatchDeleteTasks,
  readBatchGetTasks,
  readBatchUpdateTasks,
} from './batch.requests.ts';
import { readCreateTask, readMoveTask, readReorderTask, readUpdateTask, readWholeTaskChange } from './task.requests.ts';
import {
  optionalOwnerId,
  optionalProjectId,
  refuseTwoLists,
  refuseTwoScopes,
  requestId,
  scope,
} from './task.schemas.ts';

export function tasksHandlers(deps: TasksDeps): Handlers<typeof TasksServiceService> {
  return {
    createTask: async (request, call) => createTask(deps, requireUser(call), readCreateTask(request)),
    getTask: async (request, call) => getTask(deps, requireUser(call), readGetTask(request)),
    listTasks: async (request, call) => listTasks(deps, requireUser(call), readListTasks(request)),
    updateTask: async (request, call) => updateTask(deps, requireUser(call), readUpdateTask(request)),
    deleteTask: async (request, call) => deleteTask(deps, requireUser(call), readWholeTaskChange(request)),
    getTaskStats: async (request, call) => getTaskStats(deps, requireUser(call), readGetTaskStats(request)),
    undeleteTask: async (request, call) => undeleteTask(deps, requireUser(call), readWholeTaskChange(request)),
    moveTask: async (request, call) => moveTask(deps, requireUser(call), readMoveTask(request)),
    reorderTask: async (request, call) => reorderTask(deps, requireUser(call), readReorderTask(request)),
    batchGetTasks: async (request, call) => batchGetTasks(deps, requireUser(call), readBatchGetTasks(request)),
    batchCreateTasks: async (request, call) => batchCreateTasks(deps, requireUser(call), readBatchCreateTasks(request)),
    batchUpdateTasks: async (request, call) => batchUpdateTasks(deps, requireUser(call), readBatchUpdateTasks(request)),
    batchDeleteTasks: async (request, call) => batchDeleteTasks(deps, requireUser(call), readBatchDeleteTasks(request)),
    listTaskEvents: async (request, call) => listTaskEvents(deps, requireUser(call), readListTaskEvents(request)),
    watchTasks: (request, call) => watchTasks(deps, requireUser(call), readWatchTasks(request), call.signal),
    startWatchingTask: async (request, call) =>
      startWatchingTask(deps, requireUser(call), parseRequest(watchingSchema, request)),
    stopWatchingTask: async (request, call) =>
      stopWatchingTask(deps, requireUser(call), parseRequest(watchingSchema, request)),
    listTaskWatchers: async (request, call) =>
      listTaskWatchers(deps, requireUser(call), parseRequest(watchersSchema, request)),
    syncTasks: async (request, call) => syncTasks(deps, requireUser(call), readSyncTasks(request)),
  };
}

/* Requests that need only a schema. The others have a file per noun. */

const getSchema = z.object({ taskId: fieldTypes.uuid() });

function readGetTask(request: GetTaskRequest): string {
  return parseRequest(getSchema, request).taskId;
}

const watchingSchema = z.object({ taskId: fieldTypes.uuid(), requestId, validateOnly: z.boolean() });
const watchers = fieldsOf('taskflow.tasks.v1.ListTaskWatchersRequest');
const watchersSchema = z.object({
  taskId: fieldTypes.uuid(),
  pageSize: watchers.pageSize(),
  pageToken: watchers.pageToken(),
});

const statsSchema = z.object({ ownerId: optionalOwnerId, projectId: optionalProjectId, scope });

function readGetTaskStats(request: GetTaskStatsRequest): GetTaskStatsInput {
  return parseRequest(statsSchema, request, [...refuseTwoLists(request), ...refuseTwoScopes(request)]);
}

const history = fieldsOf('taskflow.tasks.v1.ListTaskEventsRequest');
const historySchema = z.object({
  taskId: fieldTypes.uuid(),
  pageSize: history.pageSize(),
  pageToken: history.pageToken(),
});

function readListTaskEvents(request: ListTaskEventsRequest): ListTaskEventsInput {
  return parseRequest(historySchema, request);
}

const watchSchema = z.object({
  resumeToken: fieldsOf('taskflow.tasks.v1.WatchTasksRequest').givenToken('resume_token'),
  scope,
});

function readWatchTasks(request: WatchTasksRequest): WatchTasksInput {
  return parseRequest(watchSchema, request);
}

const sync = fieldsOf('taskflow.tasks.v1.SyncTasksRequest');
const syncSchema = z.object({
  syncToken: sync.givenToken('sync_token'),
  pageSize: sync.pageSize(),
  pageToken: sync.pageToken(),
  scope,
});

function readSyncTasks(request: SyncTasksRequest): SyncTasksInput {
  return parseRequest(syncSchema, request);
}
