import { requireUser, type Handlers } from '#libs/grpc';
import type { InternalTasksServiceService, TasksServiceService } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { batchGetTaskStates } from '../use-cases/batch-get-task-states.ts';
import { createTask } from '../use-cases/create-task.ts';
import { deleteTask } from '../use-cases/delete-task.ts';
import { getTask } from '../use-cases/get-task.ts';
import { getTaskStats } from '../use-cases/get-task-stats.ts';
import { listTasks } from '../use-cases/list-tasks.ts';
import { pullEvents } from '../use-cases/pull-events.ts';
import { sweepOverdue } from '../use-cases/sweep-overdue.ts';
import { updateTask } from '../use-cases/update-task.ts';
import { readBatchGetTaskStates, readPullEvents, readSweepOverdue } from './internal.requests.ts';
import { readCreateTask, readDeleteTask, readGetTask, readGetTaskStats, readListTasks, readUpdateTask } from './task.requests.ts';

export function tasksHandlers(deps: TasksDeps): Handlers<typeof TasksServiceService> {
  return {
    createTask: async (request, call) => createTask(deps, requireUser(call), readCreateTask(request)),
    getTask: async (request, call) => getTask(deps, requireUser(call), readGetTask(request)),
    listTasks: async (request, call) => listTasks(deps, requireUser(call), readListTasks(request)),
    updateTask: async (request, call) => updateTask(deps, requireUser(call), readUpdateTask(request)),
    deleteTask: async (request, call) => deleteTask(deps, requireUser(call), readDeleteTask(request)),
    getTaskStats: async (request, call) => getTaskStats(deps, requireUser(call), readGetTaskStats(request)),
  };
}

export function internalTasksHandlers(deps: TasksDeps): Handlers<typeof InternalTasksServiceService> {
  return {
    sweepOverdue: async (request) => sweepOverdue(deps, readSweepOverdue(request)),
    pullEvents: async (request, call) => pullEvents(deps, call.signal, readPullEvents(request)),
    batchGetTaskStates: async (request) => batchGetTaskStates(deps, readBatchGetTaskStates(request)),
  };
}
