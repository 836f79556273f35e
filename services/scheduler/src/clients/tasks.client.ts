import { InternalProjectsServiceService } from '#contract/tasks/v1/projects';
import { InternalReadersServiceService } from '#contract/tasks/v1/readers';
import { InternalTasksServiceService } from '#contract/tasks/v1/tasks';
import { AppError } from '#libs/errors';
import { createClient, type ClientOptions } from '#libs/grpc';
import { toDuration } from '#libs/runtime';
import type { TasksPort } from '../domain/events/tasks.port.ts';
import type { HappeningsPage } from '../domain/webhooks/happening.ts';
import { toHappening } from './happenings.ts';

/** How long tasks may hold a pull that finds nothing; a stopping scheduler ends it early. */
const maxWait = toDuration(5_000);
const pageSize = 2_000;
/** Large enough that walking the owners costs little beside it, small enough that its locks on lists are short. */
const sweepBatchSize = 2_000;

/** The most that tasks takes in one call, of tasks and of checks. */
const maxStates = 1_000;

function toStart(start: Parameters<TasksPort['findPosition']>[1]) {
  if (start === undefined) return undefined;
  return 'event' in start
    ? ({ $case: 'event', value: start.event } as const)
    : ({ $case: 'startTime', value: start.time } as const);
}

const hasEnded = (error: unknown): boolean =>
  error instanceof AppError && error.reason === 'PROJECT_INVITATION_NOT_FOUND';

export function openTasks(options: Omit<ClientOptions, 'callee'>): TasksPort & { close(): void } {
  const tasks = createClient(InternalTasksServiceService, { ...options, callee: 'tasks' });
  const readers = createClient(InternalReadersServiceService, { ...options, callee: 'tasks' });
  const projects = createClient(InternalProjectsServiceService, { ...options, callee: 'tasks' });
  return {
    sweepOverdue: (from) => tasks.client.sweepOverdue({ batchSize: sweepBatchSize, dueStartTime: from }),
    pullEvents: (after, wanted) =>
      tasks.client.pullEvents({
        after,
        pageSize,
        maxWait,
        readerIds: wanted === 'all' ? [] : [...wanted],
        allReaders: wanted === 'all',
      }),
    findPosition: async (reader, start) => {
      const { position, projectIds } = await readers.client.findReaderPosition({ ...reader, start: toStart(start) });
      return { position: position as HappeningsPage['next'], projectIds };
    },
    readHappenings: async (reader, after, limit) => {
      const { events, next, ...page } = await readers.client.pullReaderEvents({ ...reader, after, pageSize: limit });
      return {
        ...page,
        happenings: events.flatMap((event) => toHappening(event) ?? []),
        next: next as HappeningsPage['next'],
      };
    },
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
    findInvitation: async (invitationId) => {
      try {
        return await projects.client.getProjectInvitation({ invitationId });
      } catch (error) {
        if (hasEnded(error)) return undefined;
        throw error;
      }
    },
    explainDue: (taskId) => tasks.client.explainDue({ taskId }),
    close: () => {
      tasks.close();
      readers.close();
      projects.close();
    },
  };
}
