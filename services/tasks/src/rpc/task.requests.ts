import { z } from 'zod';
import { fieldTypes, invalidFields, parseRequest, AppError, type FieldViolation } from '#libs/errors';
import { CreateTaskRequest, UpdateTaskRequest, type DeleteTaskRequest, type GetTaskRequest, type GetTaskStatsRequest, type Task, type UndeleteTaskRequest } from '#contract/tasks/v1/tasks';
import type { TaskEdit } from '../domain/task.entity.ts';
import type { CreateTaskInput } from '../use-cases/create-task.ts';
import type { DeleteTaskInput } from '../use-cases/delete-task.ts';
import type { UndeleteTaskInput } from '../use-cases/undelete-task.ts';
import type { UpdateTaskInput } from '../use-cases/update-task.ts';
import { checkDue, creationFields, etag, optionalOwnerId, requestId, taskFields } from './task.schemas.ts';

const draft = z.object(creationFields, 'must be set').check(checkDue);
const validateOnly = z.boolean();
const createSchema = z.object({ task: draft, requestId, validateOnly });

export function readCreateTask(request: CreateTaskRequest): CreateTaskInput {
  const { task, ...rest } = parseRequest(createSchema, request);
  return { draft: task, ...rest, body: CreateTaskRequest.fromPartial({ task: pick(request.task, Object.keys(creationFields)) }) };
}

/** By their names in an update mask. */
const maskFields = new Map<string, keyof typeof taskFields>([
  ['title', 'title'],
  ['description', 'description'],
  ['status', 'status'],
  ['priority', 'priority'],
  ['due_time', 'dueTime'],
  ['due_date', 'dueDate'],
  ['due_zone', 'dueZone'],
  ['assignee_id', 'assigneeId'],
  ['labels', 'labels'],
]);

export function readUpdateTask(request: UpdateTaskRequest): UpdateTaskInput {
  const mask = request.updateMask ?? [];
  const violations = checkMask(mask);
  const named = mask.flatMap((path) => maskFields.get(path) ?? []);
  const fields = Object.fromEntries(named.map((field) => [field, taskFields[field]]));
  const schema = z.object({ task: z.object({ id: fieldTypes.uuid(), etag, ...fields }, 'must be set').check(checkDue), requestId, validateOnly });
  const { task, ...rest } = parseTogether(schema, request, violations);
  const { id: taskId, etag: expected, ...edit } = task;
  const body = UpdateTaskRequest.fromPartial({ task: pick(request.task, ['id', 'etag', ...named]), updateMask: mask });
  return { taskId, etag: expected, edit: edit as TaskEdit, ...rest, body };
}

function checkMask(mask: readonly string[]): FieldViolation[] {
  const violate = (description: string): FieldViolation[] => [{ field: 'update_mask', description }];
  if (mask.length === 0) return violate(`must name one or more of ${[...maskFields.keys()].join(', ')}`);
  if (mask.some((path) => !maskFields.has(path))) return violate(`must name only ${[...maskFields.keys()].join(', ')}`);
  return new Set(mask).size < mask.length ? violate('must name each field once') : [];
}

/** As parseRequest, with violations that were found before. */
function parseTogether<S extends z.ZodType>(schema: S, request: unknown, found: FieldViolation[]): z.output<S> {
  try {
    const parsed = parseRequest(schema, request);
    if (found.length === 0) return parsed;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw invalidFields([...found, ...(error.details.violations ?? [])]);
  }
  throw invalidFields(found);
}

/** What output-only fields hold is ignored, also when a request is compared with an earlier one. */
function pick(task: Task | undefined, fields: readonly string[]): Partial<Task> {
  return Object.fromEntries(Object.entries(task ?? {}).filter(([name]) => fields.includes(name)));
}

const taskId = fieldTypes.uuid();
const deleteSchema = z.object({ taskId, etag, requestId, validateOnly });

export function readDeleteTask(request: DeleteTaskRequest): DeleteTaskInput {
  return { ...parseRequest(deleteSchema, request), body: { ...request, requestId: '' } };
}

const undeleteSchema = z.object({ taskId, etag, requestId });

export function readUndeleteTask(request: UndeleteTaskRequest): UndeleteTaskInput {
  return { ...parseRequest(undeleteSchema, request), body: { ...request, requestId: '' } };
}

const getSchema = z.object({ taskId });

export function readGetTask(request: GetTaskRequest): string {
  return parseRequest(getSchema, request).taskId;
}

const statsSchema = z.object({ ownerId: optionalOwnerId });

export function readGetTaskStats(request: GetTaskStatsRequest): string {
  return parseRequest(statsSchema, request).ownerId;
}
