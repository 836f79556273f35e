import { z } from 'zod';
import { AppError, fieldTypes, invalidFields, parseRequest, type FieldViolation } from '#libs/errors';
import { BatchCreateTasksRequest, BatchUpdateTasksRequest, CreateTaskRequest, Task, UpdateTaskRequest, type BatchDeleteTasksRequest, type BatchGetTasksRequest } from '#contract/tasks/v1/tasks';
import { inRequests, inTaskIds, inTasks, misunderstood, type Locate, type Member } from '../domain/batch.ts';
import type { TaskDraft } from '../domain/task.entity.ts';
import type { BatchCreateTasksInput } from '../use-cases/batch-create-tasks.ts';
import type { BatchDeleteTasksInput } from '../use-cases/batch-delete-tasks.ts';
import type { BatchGetTasksInput } from '../use-cases/batch-get-tasks.ts';
import type { BatchUpdateTasksInput } from '../use-cases/batch-update-tasks.ts';
import { readCreateTask, readUpdateTask } from './task.requests.ts';
import { requestId } from './task.schemas.ts';

const maxMembers = 500;
const membersRule = `must have 1 to ${maxMembers} entries`;
const sizeOf = z.array(z.unknown()).refine(({ length }) => length >= 1 && length <= maxMembers, membersRule);

function readMember<Raw, Input>(raw: Raw, read: (raw: Raw) => Input): Member<Input> {
  try {
    return { input: read(raw) };
  } catch (error) {
    if (error instanceof AppError) return { error };
    throw error;
  }
}

/** Each member by itself; all that are not understood make one error, unless partial answers are allowed. */
function readMembers<Raw, Input>(raws: readonly Raw[], read: (raw: Raw) => Input, { allowPartial, locate }: { allowPartial: boolean; locate: Locate }): Member<Input>[] {
  const members = raws.map((raw) => readMember(raw, read));
  const error = allowPartial ? undefined : misunderstood(members, locate);
  if (error !== undefined) throw error;
  return members;
}

/** The same task may not be written twice in one batch, partial or not: which of the two would count? */
function refuseRepeated(ids: readonly string[], pathOf: (index: number) => string): void {
  const seen = new Set<string>();
  const violations: FieldViolation[] = [];
  for (const [index, id] of ids.map((each) => each.toLowerCase()).entries()) {
    if (seen.has(id)) violations.push({ field: pathOf(index), description: 'must not be there twice' });
    seen.add(id);
  }
  if (violations.length > 0) throw invalidFields(violations);
}

const taskIdSchema = z.object({ taskId: fieldTypes.uuid() });
const readTaskId = (taskId: string): string => parseRequest(taskIdSchema, { taskId }).taskId;

const getSchema = z.object({ taskIds: sizeOf });

export function readBatchGetTasks(request: BatchGetTasksRequest): BatchGetTasksInput {
  parseRequest(getSchema, request);
  const { allowPartial } = request;
  return { allowPartial, taskIds: readMembers(request.taskIds, readTaskId, { allowPartial, locate: inTaskIds }) };
}

const createSchema = z.object({ tasks: sizeOf, requestId });

export function readBatchCreateTasks(request: BatchCreateTasksRequest): BatchCreateTasksInput {
  const { requestId: id } = parseRequest(createSchema, request);
  const { allowPartial, validateOnly } = request;
  const members = readMembers(request.tasks, (task) => readCreateTask(CreateTaskRequest.fromPartial({ task })), { allowPartial, locate: inTasks });
  const drafts = members.map((member): Member<TaskDraft> => ('input' in member ? { input: member.input.draft } : member));
  const tasks = members.map((member, index) => ('input' in member ? (member.input.body.task ?? Task.fromPartial({})) : encodable(request.tasks[index])));
  return { drafts, allowPartial, requestId: id, validateOnly, body: BatchCreateTasksRequest.fromPartial({ tasks, allowPartial }) };
}

const updateSchema = z.object({ requests: sizeOf, requestId });

export function readBatchUpdateTasks(request: BatchUpdateTasksRequest): BatchUpdateTasksInput {
  const { requestId: id } = parseRequest(updateSchema, request);
  const { allowPartial } = request;
  const updates = readMembers(request.requests, readUpdate, { allowPartial, locate: inRequests });
  refuseRepeated(request.requests.map(({ task }, index) => task?.id || `${index}`), (index) => `requests[${index}].task.id`);
  const requests = updates.map((member, index) => {
    const raw = request.requests[index] ?? UpdateTaskRequest.fromPartial({});
    return 'input' in member ? member.input.body : { ...raw, task: encodable(raw.task) };
  });
  return { updates, allowPartial, requestId: id, body: BatchUpdateTasksRequest.fromPartial({ requests, allowPartial }) };
}

/** What holds for the whole batch is said there. */
function readUpdate(request: UpdateTaskRequest): ReturnType<typeof readUpdateTask> {
  const misplaced: FieldViolation[] = [];
  if (request.requestId !== '') misplaced.push({ field: 'request_id', description: 'must be empty in a batch, which has its own' });
  if (request.validateOnly) misplaced.push({ field: 'validate_only', description: 'must be unset in a batch' });
  if (misplaced.length > 0) throw invalidFields(misplaced);
  return readUpdateTask(request);
}

/** A member that is not understood counts as what it says, but a time that is none cannot be written down. */
function encodable(task: Task | undefined): Task {
  const isNoTime = (value: unknown): boolean => value instanceof Date && Number.isNaN(value.getTime());
  return Task.fromPartial(Object.fromEntries(Object.entries(task ?? {}).filter(([, value]) => !isNoTime(value))) as Partial<Task>);
}

const deleteSchema = z.object({ taskIds: sizeOf, requestId });

export function readBatchDeleteTasks(request: BatchDeleteTasksRequest): BatchDeleteTasksInput {
  const { requestId: id } = parseRequest(deleteSchema, request);
  const { allowPartial } = request;
  const taskIds = readMembers(request.taskIds, readTaskId, { allowPartial, locate: inTaskIds });
  refuseRepeated(request.taskIds, inTaskIdsAt);
  return { taskIds, allowPartial, requestId: id, body: { ...request, requestId: '' } };
}

const inTaskIdsAt = (index: number): string => inTaskIds(index, '');
