import { z } from 'zod';
import { fieldTypes, parseRequest } from '#libs/errors';
import type { Handlers } from '#libs/grpc';
import { toMilliseconds } from '#libs/runtime';
import type {
  BatchCheckSharingRequest,
  BatchGetTaskStatesRequest,
  ExplainDueRequest,
  InternalTasksServiceService,
  PullEventsRequest,
  SweepOverdueRequest,
} from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { batchCheckSharing, type BatchCheckSharingInput } from '../use-cases/batch-check-sharing.ts';
import { batchGetTaskStates } from '../use-cases/batch-get-task-states.ts';
import { explainDue } from '../use-cases/explain-due.ts';
import { pullEvents, type PullEventsInput } from '../use-cases/pull-events.ts';
import { sweepOverdue, type SweepInput } from '../use-cases/sweep-overdue.ts';

export function internalTasksHandlers(deps: TasksDeps): Handlers<typeof InternalTasksServiceService> {
  return {
    sweepOverdue: async (request) => sweepOverdue(deps, readSweepOverdue(request)),
    pullEvents: async (request, call) => pullEvents(deps, call.signal, readPullEvents(request)),
    batchGetTaskStates: async (request) => batchGetTaskStates(deps, readBatchGetTaskStates(request)),
    batchCheckSharing: async (request) => batchCheckSharing(deps, readBatchCheckSharing(request)),
    explainDue: async (request) => explainDue(deps, readExplainDue(request)),
  };
}

const batch = z
  .number()
  .refine((size) => size >= 0 && size <= 5000, 'must be 1 to 5000, or 0 for 1000')
  .transform((size) => (size === 0 ? 1000 : size));

const sweepSchema = z.object({ batchSize: batch, dueStartTime: z.date().optional() });

function readSweepOverdue(request: SweepOverdueRequest): SweepInput {
  const { batchSize, dueStartTime } = parseRequest(sweepSchema, request);
  return { batchSize, dueStartTime };
}

const pullSchema = z.object({
  after: z.object({ incarnation: z.bigint(), transactionId: z.bigint(), eventId: z.bigint() }).optional(),
  pageSize: batch,
  maxWait: z
    .object({ seconds: z.bigint(), nanos: z.number() })
    .default({ seconds: 0n, nanos: 0 })
    .transform(toMilliseconds)
    .refine((waitMs) => waitMs >= 0 && waitMs <= 10_000, 'must be 0 to 10 seconds'),
});

function readPullEvents(request: PullEventsRequest): PullEventsInput {
  const { after, pageSize, maxWait } = parseRequest(pullSchema, request);
  return { after, limit: pageSize, maxWaitMs: maxWait };
}

const statesSchema = z.object({
  taskIds: z
    .array(fieldTypes.uuid())
    .refine((ids) => ids.length >= 1 && ids.length <= 1000, 'must have 1 to 1000 entries'),
});

function readBatchGetTaskStates(request: BatchGetTaskStatesRequest): string[] {
  return parseRequest(statesSchema, request).taskIds;
}

const explainSchema = z.object({ taskId: fieldTypes.uuid() });

function readExplainDue(request: ExplainDueRequest): string {
  return parseRequest(explainSchema, request).taskId;
}

const sharingSchema = z.object({
  userId: fieldTypes.uuid(),
  otherUserIds: z
    .array(fieldTypes.uuid())
    .refine((ids) => ids.length >= 1 && ids.length <= 500, 'must have 1 to 500 entries'),
});

function readBatchCheckSharing(request: BatchCheckSharingRequest): BatchCheckSharingInput {
  return parseRequest(sharingSchema, request);
}
