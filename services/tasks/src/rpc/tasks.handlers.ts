import { requireUser, type Handlers } from '#libs/grpc';
import type { InternalTasksServiceService, TasksServiceService } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { batchGetTaskStates } from '../use-cases/batch-get-task-states.ts';
import { batchGetTasks } from '../use-cases/batch-get-tasks.ts';
import { batchCreateTasks } from '../use-cases/batch-create-tasks.ts';
import { batchUpdateTasks } from '../use-cases/batch-update-tasks.ts';
import { batchDeleteTasks } from '../use-cases/batch-delete-tasks.ts';
import { createTask } from '../use-cases/create-task.ts';
import { deleteTask } from '../use-cases/delete-task.ts';
import { getTask } from '../use-cases/get-task.ts';
import { explainDue } from '../use-cases/explain-due.ts';
import { getTaskStats } from '../use-cases/get-task-stats.ts';
import { listTaskEvents } from '../use-cases/list-task-events.ts';
import { listTasks } from '../use-cases/list-tasks.ts';
import { pullEvents } from '../use-cases/pull-events.ts';
import { sweepOverdue } from '../use-cases/sweep-overdue.ts';
import { undeleteTask } from '../use-cases/undelete-task.ts';
import { syncTasks } from '../use-cases/sync-tasks.ts';
import { updateTask } from '../use-cases/update-task.ts';
import { watchTasks } from '../use-cases/watch-tasks.ts';
import { readListTaskEvents, readSyncTasks, readWatchTasks } from './feed.requests.ts';
import { readListTasks } from './list-tasks.request.ts';
import { readBatchCreateTasks, readBatchDeleteTasks, readBatchGetTasks, readBatchUpdateTasks } from './batch.requests.ts';
import { readBatchGetTaskStates, readExplainDue, readPullEvents, readSweepOverdue } from './internal.requests.ts';
import { readCreateTask, readDeleteTask, readGetTask, readGetTaskStats, readUndeleteTask, readUpdateTask } from './task.requests.ts';

export function tasksHandlers(deps: TasksDeps): Handlers<typeof TasksServiceService> {
  return {
    createTask: async (request, call) => createTask(deps, requireUser(call), readCreateTask(request)),
    getTask: async (request, call) => getTask(deps, requireUser(call), readGetTask(request)),
    listTasks: async (request, call) => listTasks(deps, requireUser(call), readListTasks(request)),
    updateTask: async (request, call) => updateTask(deps, requireUser(call), readUpdateTask(request)),
    deleteTask: async (request, call) => deleteTask(deps, requireUser(call), readDeleteTask(request)),
    getTaskStats: async (request, call) => getTaskStats(deps, requireUser(call), readGetTaskStats(request)),
    undeleteTask: async (request, call) => undeleteTask(deps, requireUser(call), readUndeleteTask(request)),
    batchGetTasks: async (request, call) => batchGetTasks(deps, requireUser(call), readBatchGetTasks(request)),
    batchCreateTasks: async (request, call) => batchCreateTasks(deps, requireUser(call), readBatchCreateTasks(request)),
    batchUpdateTasks: async (request, call) => batchUpdateTasks(deps, requireUser(call), readBatchUpdateTasks(request)),
    batchDeleteTasks: async (request, call) => batchDeleteTasks(deps, requireUser(call), readBatchDeleteTasks(request)),
    listTaskEvents: async (request, call) => listTaskEvents(deps, requireUser(call), readListTaskEvents(request)),
    watchTasks: (request, call) => watchTasks(deps, requireUser(call), readWatchTasks(request), call.signal),
    syncTasks: async (request, call) => syncTasks(deps, requireUser(call), readSyncTasks(request)),
  };
}

export function internalTasksHandlers(deps: TasksDeps): Handlers<typeof InternalTasksServiceService> {
  return {
    sweepOverdue: async (request) => sweepOverdue(deps, readSweepOverdue(request)),
    pullEvents: async (request, call) => pullEvents(deps, call.signal, readPullEvents(request)),
    batchGetTaskStates: async (request) => batchGetTaskStates(deps, readBatchGetTaskStates(request)),
    explainDue: async (request) => explainDue(deps, readExplainDue(request)),
  };
}
