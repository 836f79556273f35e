import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { toColumnName } from '#libs/db';
import {
  changedFields,
  fieldTypes,
  flattenOneofs,
  isMaskOf,
  isWholeMask,
  maskRule,
  parseRequest,
  schemaPerFields,
  type FieldViolation,
} from '#libs/errors';
import {
  CreateTaskRequest,
  MoveTaskRequest,
  ReorderTaskRequest,
  Task,
  UpdateTaskRequest,
  type DeleteTaskRequest,
  type UndeleteTaskRequest,
} from '#contract/tasks/v1/tasks';
import { pickFields } from '../domain/read-mask.ts';
import type { TaskEdit } from '../domain/task.columns.ts';
import type { CreateTaskInput } from '../use-cases/create-task.ts';
import type { MoveTaskInput } from '../use-cases/move-task.ts';
import type { ReorderTaskInput } from '../use-cases/reorder-task.ts';
import type { UpdateTaskInput } from '../use-cases/update-task.ts';
import { assigneeEmail, creationFields, etag, optionalProjectId, requestId, taskFields } from './task.schemas.ts';

const draft = z.object(creationFields, 'must be set');
const validateOnly = z.boolean();
const createSchema = z.object({ task: draft, requestId, validateOnly, assigneeEmail });

export function readCreateTask(request: CreateTaskRequest): CreateTaskInput {
  const parsed = parseRequest(createSchema, flattenOneofs(request), refuseTwoAssignees(request));
  const { task: fields, requestId: idempotencyKey, ...rest } = parsed;
  const task = pick(request.task, Object.keys(creationFields));
  const body = CreateTaskRequest.fromPartial({ task, assigneeEmail: rest.assigneeEmail });
  return { fields, idempotencyKey, ...rest, body };
}

/** By id and by e-mail: which of them was meant? */
function refuseTwoAssignees({ task, assigneeEmail: email }: CreateTaskRequest | UpdateTaskRequest): FieldViolation[] {
  if (email === '' || !task?.assigneeId) return [];
  const description = 'must not be set together with';
  return [
    { field: 'task.assignee_id', description: `${description} assignee_email` },
    { field: 'assignee_email', description: `${description} task.assignee_id` },
  ];
}

type Field = keyof typeof taskFields;

/** By their names in an update mask. */
const maskFields: ReadonlyMap<string, Field> = new Map(
  (Object.keys(taskFields) as Field[]).map((field) => [toColumnName(field), field]),
);
const maskNames = [...maskFields.keys()];

const updateSchema = (rules: Readonly<Record<Field, z.ZodType>>, fields: readonly Field[]) => {
  const changes = Object.fromEntries(fields.map((field) => [field, rules[field]]));
  return z.object({
    task: z.object({ id: fieldTypes.uuid(), etag, ...changes }, 'must be set'),
    requestId,
    validateOnly,
    assigneeEmail,
  });
};
const allFields = [...maskFields.values()];
/** Unset fields get the values of a new task. */
const wholeUpdateSchema = updateSchema(creationFields, allFields);
const updateSchemaOf = schemaPerFields(allFields, (fields) => updateSchema(taskFields, fields));

export function readUpdateTask(request: UpdateTaskRequest): UpdateTaskInput {
  const mask = request.updateMask ?? [];
  const named = namedFields(request, mask);
  const violations = [...checkMask(mask, named), ...checkDue(request.task, mask), ...checkAssignee(request, named)];
  const schema = isWholeMask(mask) ? wholeUpdateSchema : updateSchemaOf(named);
  const { task, requestId: idempotencyKey, ...rest } = parseRequest(schema, flattenOneofs(request), violations);
  const { id: taskId, etag: expected, ...fields } = task;
  const body = UpdateTaskRequest.fromPartial({
    task: pick(request.task, ['id', 'etag', ...named]),
    updateMask: mask.length === 0 ? undefined : mask,
    assigneeEmail: rest.assigneeEmail,
  });
  return { taskId, etag: expected, fields: fields as TaskEdit, idempotencyKey, ...rest, body };
}

const flatten = (task: Task | undefined) => flattenOneofs(task) as Partial<Record<Field, unknown>> | undefined;

const unset = flatten(Task.fromPartial({}));

function namedFields({ task, assigneeEmail: email }: UpdateTaskRequest, mask: readonly string[]): Field[] {
  const sent = flatten(task);
  const isSet = (field: Field | undefined): boolean =>
    (field === 'assigneeId' && email !== '') ||
    (sent !== undefined && field !== undefined && !isDeepStrictEqual(sent[field], unset?.[field]));
  const names = changedFields(maskNames, mask, (name) => isSet(maskFields.get(name)));
  return names.flatMap((name) => maskFields.get(name) ?? []);
}

function checkMask(mask: readonly string[], named: readonly Field[]): FieldViolation[] {
  const isEmpty = mask.length === 0 && named.length === 0;
  if (isMaskOf(maskNames, mask) && !isEmpty) return [];
  const remark = isEmpty ? ', unless one of them is set' : '';
  return [{ field: 'update_mask', description: `${maskRule(maskNames)}${remark}` }];
}

/** Refuses a mask that would clear one kind of due while the other is set, which nobody means. */
function checkDue(task: Task | undefined, mask: readonly string[]): FieldViolation[] {
  const { $case: set } = task?.due ?? {};
  if (set === undefined || isWholeMask(mask) || mask.includes(toColumnName(set))) return [];
  const other = mask.find((path) => path === 'due_time' || path === 'due_day');
  return other === undefined
    ? []
    : [{ field: 'update_mask', description: `must name ${toColumnName(set)}, which is set, in place of ${other}` }];
}

/** A mask must name the assignee that is set by e-mail. */
function checkAssignee(request: UpdateTaskRequest, named: readonly Field[]): FieldViolation[] {
  if (request.assigneeEmail === '' || named.includes('assigneeId')) return refuseTwoAssignees(request);
  return [{ field: 'update_mask', description: 'must name assignee_id, because assignee_email is set' }];
}

/** Output-only fields are ignored, also when a request is compared with an earlier one. */
const pick = (task: Task | undefined, fields: readonly string[]): Partial<Task> =>
  task === undefined ? {} : pickFields(task, new Set(fields));

const taskId = fieldTypes.uuid();
const wholeTaskSchema = z.object({ taskId, etag, requestId, validateOnly });

/** Reads a request to delete or undelete a task, which has no fields of the task but id and etag. */
export function readWholeTaskChange<Req extends DeleteTaskRequest | UndeleteTaskRequest>(
  request: Req,
): Omit<z.output<typeof wholeTaskSchema>, 'requestId'> & { idempotencyKey: string; body: Req } {
  const { requestId: idempotencyKey, ...change } = parseRequest(wholeTaskSchema, request);
  return { ...change, idempotencyKey, body: { ...request, requestId: '' } };
}

const moveSchema = wholeTaskSchema.extend({ projectId: optionalProjectId });

export function readMoveTask(request: MoveTaskRequest): MoveTaskInput {
  const { requestId: idempotencyKey, projectId, ...change } = parseRequest(moveSchema, request);
  const body = MoveTaskRequest.fromPartial({ ...request, requestId: '' });
  return { ...change, projectId: projectId === '' ? null : projectId, idempotencyKey, body };
}

const reorderSchema = wholeTaskSchema.extend({
  place: z.enum(['beforeTaskId', 'afterTaskId'], 'before_task_id or after_task_id must be set'),
  beforeTaskId: fieldTypes.uuid().optional(),
  afterTaskId: fieldTypes.uuid().optional(),
});

export function readReorderTask(request: ReorderTaskRequest): ReorderTaskInput {
  const fields = { ...(flattenOneofs(request) as object), place: request.place?.$case };
  const {
    requestId: idempotencyKey,
    place,
    beforeTaskId,
    afterTaskId,
    ...change
  } = parseRequest(reorderSchema, fields, refuseItself(request));
  const body = ReorderTaskRequest.fromPartial({ ...request, requestId: '' });
  const next =
    place === 'beforeTaskId'
      ? { side: 'before' as const, taskId: beforeTaskId ?? '' }
      : { side: 'after' as const, taskId: afterTaskId ?? '' };
  return { ...change, place: next, idempotencyKey, body };
}

function refuseItself({ taskId: id, place }: ReorderTaskRequest): FieldViolation[] {
  if (place === undefined || place.value.toLowerCase() !== id.toLowerCase()) return [];
  return [{ field: toColumnName(place.$case), description: 'must be another task than task_id' }];
}
