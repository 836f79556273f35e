import { InternalTasksServiceService } from '#contract/tasks/v1/tasks';
import { createClient, type ClientOptions } from '#libs/grpc';
import { toDuration } from '#libs/runtime';
import type { TasksPort } from '../domain/events/tasks.port.ts';

/** How long tasks may hold a pull that finds nothing; a stopping scheduler ends it early. */
const maxWait = toDuration(5_000);
const pageSize = 2_000;
/** Large enough that walking the owners costs little beside it, small enough that its locks on lists are short. */
const sweepBatchSize = 2_000;

/** The most that tasks takes in one call, of tasks and of checks. */
const maxStates = 1_000;

export function openTasks(options: Omit<ClientOptions, 'callee'>): TasksPort & { close(): void } {
  const tasks = createClient(InternalTasksServiceService, { ...options, callee: 'tasks' });
  return {
    sweepOverdue: (from) => tasks.client.sweepOverdue({ batchSize: sweepBatchSize, dueStartTime: from }),
    pullEvents: (after) => tasks.client.pullEvents({ after, pageSize, maxWait }),
    states: async (taskIds) => {
      const pages = Array.from({ length: Math.ceil(taskIds.length / maxStates) }, (_, page) =>
        taskIds.slice(page * maxStates, (page + 1) * maxStates),
      );
      const answers = await Promise.all(pages.map((page) => tasks.client.batchGetTaskStates({ taskIds: page })));
      return new Map(answers.flatMap(({ states }) => states).map((state) => [state.taskId, state]));
    },
    mayRead: async (checks) => {
      const pages = Array.from({ length: Math.ceil(checks.length / maxStates) }, (_, page) =>
        checks.slice(page * maxStates, (page + 1) * maxStates),
      );
      const answers = await Promise.all(pages.map((page) => tasks.client.batchCheckReaders({ checks: page })));
      return answers.flatMap(({ mayRead }) => mayRead);
    },
    explainDue: (taskId) => tasks.client.explainDue({ taskId }),
    close: tasks.close,
  };
}
