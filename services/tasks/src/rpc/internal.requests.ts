import { z } from 'zod';
import { fieldTypes, parseRequest } from '#libs/errors';
import type { BatchGetTaskStatesRequest, ExplainDueRequest, PullEventsRequest, SweepOverdueRequest } from '#contract/tasks/v1/tasks';
import type { PullEventsInput } from '../use-cases/pull-events.ts';
import type { SweepInput } from '../use-cases/sweep-overdue.ts';

const batch = z
  .number()
  .refine((size) => size >= 0 && size <= 5000, 'must be 1 to 5000, or 0 for 1000')
  .transform((size) => (size === 0 ? 1000 : size));

const sweepSchema = z.object({ batchSize: batch, fromDueTime: z.date().optional() });

export function readSweepOverdue(request: SweepOverdueRequest): SweepInput {
  const { batchSize, fromDueTime } = parseRequest(sweepSchema, request);
  return { batchSize, fromDueTime };
}

const pullSchema = z.object({
  after: z.object({ transactionId: z.bigint(), eventId: z.bigint() }).optional(),
  pageSize: batch,
  maxWaitMs: z.number().refine((wait) => wait >= 0 && wait <= 10_000, 'must be 0 to 10000'),
});

export function readPullEvents(request: PullEventsRequest): PullEventsInput {
  const { after, pageSize, maxWaitMs } = parseRequest(pullSchema, request);
  return { after, limit: pageSize, maxWaitMs };
}

const statesSchema = z.object({
  taskIds: z.array(fieldTypes.uuid()).refine((ids) => ids.length >= 1 && ids.length <= 1000, 'must have 1 to 1000 entries'),
});

export function readBatchGetTaskStates(request: BatchGetTaskStatesRequest): string[] {
  return parseRequest(statesSchema, request).taskIds;
}

const explainSchema = z.object({ taskId: fieldTypes.uuid() });

export function readExplainDue(request: ExplainDueRequest): string {
  return parseRequest(explainSchema, request).taskId;
}
