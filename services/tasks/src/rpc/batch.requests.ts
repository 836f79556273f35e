import { z } from 'zod';
import { AppError, fieldTypes, invalidFields, parseRequest, type FieldViolation } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import {
  BatchCreateTasksRequest,
  BatchUpdateTasksRequest,
  Task,
  type BatchDeleteTasksRequest,
  type BatchGetTasksRequest,
  type DeleteTaskRequest,
} from '#contract/tasks/v1/tasks';
import { inRequests, inTaskIds, misunderstood, type Locate, type Member } from '../domain/batch.ts';
import type { BatchCreateTasksInput } from '../use-cases/batch-create-tasks.ts';
import type { BatchDeleteTasksInput } from '../use-cases/batch-delete-tasks.ts';
import type { BatchGetTasksInput } from '../use-cases/batch-get-tasks.ts';
import type { BatchUpdateTasksInput } from '../use-cases/batch-update-tasks.ts';
import type { DeleteTaskInput } from '../use-cases/delete-task.ts';
import { readCreateTask, readUpdateTask, readWholeTaskChange } from './task.requests.ts';
import { requestId } from './task.schemas.ts';

function readMember<Raw, Input>(raw: Raw, read: (raw: Raw) => Input): Member<Input> {
  try {
    return { input: read(raw) };
  } catch (error) {
    if (error instanceof AppError) return { error };
    throw error;
  }
}

/** Reads each member. All invalid members make one error, unless partial answers are allowed. */
function readMembers<Raw, Input>(
  raws: readonly Raw[],
  read: (raw: Raw) => Input,
  { allowPartial, locate }: { allowPartial: boolean; locate: Locate },
): Member<Input>[] {
  const members = raws.map((raw) => readMember(raw, read));
  const error = allowPartial ? undefined : misunderstood(members, locate);
  if (error !== undefined) throw error;
  return members;
}

/** Refuses a batch that writes a task twice, because the result would depend on the order. */
function refuseRepeated<Raw>(raws: readonly Raw[], idOf: (raw: Raw) => string | undefined, field: string): void {
  const seen = new Set<string>();
  const violations: FieldViolation[] = [];
  for (const [index, raw] of raws.entries()) {
    const id = idOf(raw)?.toLowerCase() || `${index}`;
    if (seen.has(id)) violations.push({ field: inRequests(index, field), description: 'must not be there twice' });
    seen.add(id);
  }
  if (violations.length > 0) throw invalidFields(violations);
}

const taskIdSchema = z.object({ taskId: fieldTypes.uuid() });
const readTaskId = (taskId: string): string => parseRequest(taskIdSchema, { taskId }).taskId;

const getSchema = z.object({ taskIds: fieldsOf('taskflow.tasks.v1.BatchGetTasksRequest').items('task_ids') });

export function readBatchGetTasks(request: BatchGetTasksRequest): BatchGetTasksInput {
  parseRequest(getSchema, request);
  const { allowPartial } = request;
  return { allowPartial, taskIds: readMembers(request.taskIds, readTaskId, { allowPartial, locate: inTaskIds }) };
}

const batchSchemaOf = (message: string) =>
  z.object({ requests: fieldsOf(message).items('requests'), requestId, validateOnly: z.boolean() });
const createSchema = batchSchemaOf('taskflow.tasks.v1.BatchCreateTasksRequest');
const updateSchema = batchSchemaOf('taskflow.tasks.v1.BatchUpdateTasksRequest');
const deleteSchema = batchSchemaOf('taskflow.tasks.v1.BatchDeleteTasksRequest');

interface Batch<Single> {
  requests: Single[];
  allowPartial: boolean;
  requestId: string;
  validateOnly: boolean;
}

/** Common fields of RPCs for one task, which a batch sets once for the whole. */
interface Single {
  requestId: string;
  validateOnly: boolean;
}

function readBatch<Raw extends Single, Input>(
  schema: ReturnType<typeof batchSchemaOf>,
  request: Batch<Raw>,
  read: (raw: Raw) => Input,
) {
  const { requestId: idempotencyKey, validateOnly } = parseRequest(schema, request);
  const { allowPartial } = request;
  const readSingle = (raw: Raw): Input => {
    refuseMisplaced(raw);
    return read(raw);
  };
  const members = readMembers(request.requests, readSingle, { allowPartial, locate: inRequests });
  return { members, allowPartial, idempotencyKey, validateOnly };
}

function refuseMisplaced(single: Single): void {
  const misplaced: FieldViolation[] = [];
  if (single.requestId !== '')
    misplaced.push({ field: 'request_id', description: 'must be empty in a batch, which has its own' });
  if (single.validateOnly)
    misplaced.push({ field: 'validate_only', description: 'must be unset in a batch, which has its own' });
  if (misplaced.length > 0) throw invalidFields(misplaced);
}

/** The members without ignored fields, for the comparison with an earlier request of the same request id. */
function bodiesOf<Raw extends { task?: Task | undefined }>(
  members: readonly Member<{ body: Raw }>[],
  raws: readonly Raw[],
): Raw[] {
  return raws.map((raw, index) => {
    const member = members[index];
    return member !== undefined && 'input' in member ? member.input.body : { ...raw, task: encodable(raw.task) };
  });
}

/** An invalid member is compared as it was sent, without invalid times, which cannot be encoded. */
function encodable(task: Task | undefined): Task {
  const isNoTime = (value: unknown): boolean => value instanceof Date && Number.isNaN(value.getTime());
  const holdsNoTime = (value: unknown): boolean => isNoTime(value) || isNoTime((value as Task['due'])?.value);
  return Task.fromPartial(
    Object.fromEntries(Object.entries(task ?? {}).filter(([, value]) => !holdsNoTime(value))) as Partial<Task>,
  );
}

export function readBatchCreateTasks(request: BatchCreateTasksRequest): BatchCreateTasksInput {
  const { members, ...batch } = readBatch(createSchema, request, readCreateTask);
  const requests = bodiesOf(members, request.requests);
  return {
    ...batch,
    creations: members,
    body: BatchCreateTasksRequest.fromPartial({ requests, allowPartial: batch.allowPartial }),
  };
}

export function readBatchUpdateTasks(request: BatchUpdateTasksRequest): BatchUpdateTasksInput {
  const { members: updates, ...batch } = readBatch(updateSchema, request, readUpdateTask);
  refuseRepeated(request.requests, ({ task }) => task?.id, 'task.id');
  const requests = bodiesOf(updates, request.requests);
  return {
    ...batch,
    updates,
    body: BatchUpdateTasksRequest.fromPartial({ requests, allowPartial: batch.allowPartial }),
  };
}

export function readBatchDeleteTasks(request: BatchDeleteTasksRequest): BatchDeleteTasksInput {
  const { members: deletions, ...batch } = readBatch<DeleteTaskRequest, DeleteTaskInput>(
    deleteSchema,
    request,
    readWholeTaskChange,
  );
  refuseRepeated(request.requests, ({ taskId }) => taskId, 'task_id');
  return { ...batch, deletions, body: { ...request, requestId: '' } };
}
