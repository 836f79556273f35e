import { z } from 'zod';
import { fieldTypes, parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import type { Handlers } from '#libs/grpc';
import type {
  BatchCheckSharingRequest,
  BatchGetTaskStatesRequest,
  DeleteUserTasksRequest,
  ExplainDueRequest,
  InternalTasksServiceService,
  PullEventsRequest,
  SweepOverdueRequest,
} from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { batchCheckSharing, type BatchCheckSharingInput } from '../use-cases/batch-check-sharing.ts';
import { batchGetTaskStates } from '../use-cases/batch-get-task-states.ts';
import { batchCheckReaders } from '../use-cases/watchers/batch-check-readers.ts';
import { deleteUserTasks, type DeleteUserTasksInput } from '../use-cases/delete-user-tasks.ts';
import { explainDue } from '../use-cases/explain-due.ts';
import { pullEvents, type PullEventsInput } from '../use-cases/pull-events.ts';
import { sweepOverdue, type SweepInput } from '../use-cases/sweep-overdue.ts';

export function internalTasksHandlers(deps: TasksDeps): Handlers<typeof InternalTasksServiceService> {
  return {
    sweepOverdue: async (request) => sweepOverdue(deps, readSweepOverdue(request)),
    pullEvents: async (request, call) => pullEvents(deps, call.signal, readPullEvents(request)),
    batchGetTaskStates: async (request) => batchGetTaskStates(deps, readBatchGetTaskStates(request)),
    batchCheckReaders: async (request) => batchCheckReaders(deps, parseRequest(checksSchema, request).checks),
    batchCheckSharing: async (request) => batchCheckSharing(deps, readBatchCheckSharing(request)),
    deleteUserTasks: async (request) => deleteUserTasks(deps, readDeleteUserTasks(request)),
    explainDue: async (request) => explainDue(deps, readExplainDue(request)),
  };
}

const sweep = fieldsOf('taskflow.tasks.v1.SweepOverdueRequest');
const sweepSchema = z.object({ batchSize: sweep.number('batch_size'), dueStartTime: z.date().optional() });

function readSweepOverdue(request: SweepOverdueRequest): SweepInput {
  const { batchSize, dueStartTime } = parseRequest(sweepSchema, request);
  return { batchSize, dueStartTime };
}

const pull = fieldsOf('taskflow.tasks.v1.PullEventsRequest');
const pullSchema = z.object({
  after: z.object({ incarnation: z.bigint(), transactionId: z.bigint(), eventId: z.bigint() }).optional(),
  pageSize: pull.number('page_size'),
  maxWait: pull.span('max_wait').default(0),
  readerIds: pull.uuids('reader_ids'),
  allReaders: z.boolean(),
});

function readPullEvents(request: PullEventsRequest): PullEventsInput {
  const { after, pageSize, maxWait, readerIds, allReaders } = parseRequest(pullSchema, request);
  return { after, limit: pageSize, maxWaitMs: maxWait, readers: allReaders ? 'all' : readerIds };
}

const statesSchema = z.object({
  taskIds: fieldsOf('taskflow.tasks.v1.BatchGetTaskStatesRequest').uuids('task_ids'),
});

function readBatchGetTaskStates(request: BatchGetTaskStatesRequest): string[] {
  return parseRequest(statesSchema, request).taskIds;
}

const check = z.object({
  taskId: fieldTypes.uuid(),
  userId: fieldTypes.uuid(),
  commentId: z.union([z.literal(''), fieldTypes.uuid()], 'must be a UUID or empty'),
});
const checksSchema = z.object({
  checks: fieldsOf('taskflow.tasks.v1.BatchCheckReadersRequest').items('checks').pipe(z.array(check)),
});

const explainSchema = z.object({ taskId: fieldTypes.uuid() });

function readExplainDue(request: ExplainDueRequest): string {
  return parseRequest(explainSchema, request).taskId;
}

const sharingSchema = z.object({
  userId: fieldTypes.uuid(),
  otherUserIds: fieldsOf('taskflow.tasks.v1.BatchCheckSharingRequest').uuids('other_user_ids'),
});

function readBatchCheckSharing(request: BatchCheckSharingRequest): BatchCheckSharingInput {
  return parseRequest(sharingSchema, request);
}

const removalSchema = z.object({
  userId: fieldTypes.uuid(),
  successorId: z.union([z.literal(''), fieldTypes.uuid()], 'must be a UUID or empty'),
});

function readDeleteUserTasks(request: DeleteUserTasksRequest): DeleteUserTasksInput {
  const { userId, successorId } = request;
  const isSame = successorId !== '' && userId.toLowerCase() === successorId.toLowerCase();
  const found = isSame ? [{ field: 'successor_id', description: 'must be another user' }] : [];
  return parseRequest(removalSchema, request, found);
}
