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
import { inRequests, inTaskIds, misunderstood, type Member } from '../domain/batch.ts';
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

/** A batch that writes a task twice is refused, because the result would depend on the order. */
function findRepeated<Raw>(raws: readonly Raw[], idOf: (raw: Raw) => string | undefined, field: string) {
  const seen = new Set<string>();
  const violations: FieldViolation[] = [];
  for (const [index, raw] of raws.entries()) {
    const id = idOf(raw)?.toLowerCase() || `${index}`;
    if (seen.has(id)) violations.push({ field: inRequests(index, field), description: 'must not be there twice' });
    seen.add(id);
  }
  return violations;
}

const taskIdSchema = z.object({ taskId: fieldTypes.uuid() });
const readTaskId = (taskId: string): string => parseRequest(taskIdSchema, { taskId }).taskId;

const getSchema = z.object({ taskIds: fieldsOf('taskflow.tasks.v1.BatchGetTasksRequest').items('task_ids') });

export function readBatchGetTasks(request: BatchGetTasksRequest): BatchGetTasksInput {
  const { allowPartial } = request;
  const taskIds = request.taskIds.map((taskId) => readMember(taskId, readTaskId));
  parseRequest(getSchema, request, allowPartial ? [] : misunderstood(taskIds, inTaskIds));
  return { allowPartial, taskIds };
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

/** Reads each member. Unless partial answers are allowed, what is wrong with one is wrong with the batch. */
function readBatch<Raw extends Single, Input>(
  schema: ReturnType<typeof batchSchemaOf>,
  request: Batch<Raw>,
  read: (raw: Raw) => Input,
  found: readonly FieldViolation[] = [],
) {
  const { allowPartial } = request;
  const members = request.requests.map((raw) => readMember(raw, (single) => readSingle(single, read)));
  const inMembers = allowPartial ? [] : misunderstood(members, inRequests);
  const { requestId: idempotencyKey, validateOnly } = parseRequest(schema, request, [...inMembers, ...found]);
  return { members, allowPartial, idempotencyKey, validateOnly };
}

/** What a batch sets once for the whole is refused in a member, with everything else that is wrong with the member. */
function readSingle<Raw extends Single, Input>(raw: Raw, read: (raw: Raw) => Input): Input {
  const misplaced = findMisplaced(raw);
  if (misplaced.length === 0) return read(raw);
  const member = readMember({ ...raw, requestId: '', validateOnly: false }, read);
  throw invalidFields([...misplaced, ...('error' in member ? (member.error.details.violations ?? []) : [])]);
}

function findMisplaced(single: Single): FieldViolation[] {
  const misplaced: FieldViolation[] = [];
  if (single.requestId !== '')
    misplaced.push({ field: 'request_id', description: 'must be empty in a batch, which has its own' });
  if (single.validateOnly)
    misplaced.push({ field: 'validate_only', description: 'must be unset in a batch, which has its own' });
  return misplaced;
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
  const repeated = findRepeated(request.requests, ({ task }) => task?.id, 'task.id');
  const { members: updates, ...batch } = readBatch(updateSchema, request, readUpdateTask, repeated);
  const requests = bodiesOf(updates, request.requests);
  return {
    ...batch,
    updates,
    body: BatchUpdateTasksRequest.fromPartial({ requests, allowPartial: batch.allowPartial }),
  };
}

export function readBatchDeleteTasks(request: BatchDeleteTasksRequest): BatchDeleteTasksInput {
  const repeated = findRepeated(request.requests, ({ taskId }) => taskId, 'task_id');
  const { members: deletions, ...batch } = readBatch<DeleteTaskRequest, DeleteTaskInput>(
    deleteSchema,
    request,
    readWholeTaskChange,
    repeated,
  );
  return { ...batch, deletions, body: { ...request, requestId: '' } };
}
