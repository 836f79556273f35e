import type {
  ExplainOverdueRequest,
  GetJobRequest,
  ListDeadJobsRequest,
  ListParkedEventsRequest,
  PauseQueueRequest,
  RetryDeadJobRequest,
  RetryParkedEventRequest,
} from '#contract/scheduler/v1/jobs';
import { fieldTypes, parseRequest } from '#libs/errors';
import { z } from 'zod';
import type { ListDeadJobsInput } from '../use-cases/list-dead-jobs.ts';
import type { ListParkedEventsInput } from '../use-cases/list-parked-events.ts';
import type { QueueInput } from '../use-cases/pause-queue.ts';
import type { DeadJobInput } from '../use-cases/retry-dead-job.ts';
import type { ParkedEventInput } from '../use-cases/retry-parked-event.ts';

/* The limits of jobs.proto, field by field. */

const requestId = z.string().regex(/^[A-Za-z0-9._-]{0,128}$/, 'must have 1 to 128 characters from A-Z a-z 0-9 . _ -, or be empty');
const page = { pageSize: fieldTypes.pageSize({ fallback: 50, max: 200 }), pageToken: z.string() };

const queueSchema = z.object({ queue: fieldTypes.text({ min: 1, max: 100 }), requestId });
export const readQueue = (request: PauseQueueRequest): QueueInput => parseRequest(queueSchema, request);

const getJobSchema = z.object({ jobId: fieldTypes.uuid() });
export const readGetJob = (request: GetJobRequest): string => parseRequest(getJobSchema, request).jobId;

const listDeadSchema = z.object({ queue: fieldTypes.text({ max: 100 }), name: fieldTypes.text({ max: 100 }), includeSettled: z.boolean(), ...page });
export const readListDeadJobs = (request: ListDeadJobsRequest): ListDeadJobsInput => parseRequest(listDeadSchema, request);

const deadJobSchema = z.object({ deadJobId: fieldTypes.uuid(), requestId });
export const readDeadJob = (request: RetryDeadJobRequest): DeadJobInput => parseRequest(deadJobSchema, request);

const listParkedSchema = z.object(page);
export const readListParkedEvents = (request: ListParkedEventsRequest): ListParkedEventsInput => parseRequest(listParkedSchema, request);

const parkedEventSchema = z.object({ eventId: z.bigint().refine((id) => id > 0n, 'must be positive'), requestId });
export const readParkedEvent = (request: RetryParkedEventRequest): ParkedEventInput => parseRequest(parkedEventSchema, request);

const explainSchema = z.object({ taskId: fieldTypes.uuid() });
export const readExplainOverdue = (request: ExplainOverdueRequest): string => parseRequest(explainSchema, request).taskId;
