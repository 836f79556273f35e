import { z } from 'zod';
import { fieldTypes, parseRequest } from '#libs/errors';
import type { ListTaskEventsRequest, SyncTasksRequest, WatchTasksRequest } from '#contract/tasks/v1/tasks';
import type { ListTaskEventsInput } from '../use-cases/list-task-events.ts';
import type { SyncTasksInput } from '../use-cases/sync-tasks.ts';

const historySchema = z.object({
  taskId: fieldTypes.uuid(),
  pageSize: fieldTypes.pageSize({ fallback: 50, max: 500 }),
  pageToken: z.string(),
});

export function readListTaskEvents(request: ListTaskEventsRequest): ListTaskEventsInput {
  return parseRequest(historySchema, request);
}

export function readWatchTasks(request: WatchTasksRequest): string {
  return request.resumeToken;
}

const syncSchema = z.object({ syncToken: z.string(), pageSize: fieldTypes.pageSize({ fallback: 500, max: 1000 }) });

export function readSyncTasks(request: SyncTasksRequest): SyncTasksInput {
  return parseRequest(syncSchema, request);
}
