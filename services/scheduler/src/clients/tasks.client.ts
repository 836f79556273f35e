import { InternalTasksServiceService } from '#contract/tasks/v1/tasks';
import { createClient, type ClientOptions } from '#libs/grpc';
import type { TasksPort } from '../deps.ts';

/** How long tasks may hold a pull that finds nothing; a stopping scheduler ends it early. */
const maxWaitMs = 5_000;
const pageSize = 500;

export function openTasks(options: Omit<ClientOptions, 'callee'>): TasksPort & { close(): void } {
  const tasks = createClient(InternalTasksServiceService, { ...options, callee: 'tasks' });
  return {
    sweepOverdue: () => tasks.client.sweepOverdue({ batchSize: 0 }),
    pullEvents: (after) => tasks.client.pullEvents({ after, pageSize, maxWaitMs }),
    states: async (taskIds) => {
      const { states } = await tasks.client.batchGetTaskStates({ taskIds });
      return new Map(states.map((state) => [state.taskId, state]));
    },
    close: tasks.close,
  };
}
