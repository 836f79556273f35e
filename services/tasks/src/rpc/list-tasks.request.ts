import { z } from 'zod';
import { parseRequest, type FieldViolation } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import type { ListTasksRequest } from '#contract/tasks/v1/tasks';
import { newestFirst, sortKeys, type ListOrder, type SortKey } from '../domain/list-order.ts';
import { isReadable, toReadMask } from '../domain/read-mask.ts';
import { priorities, statuses } from '../domain/task-enums.ts';
import type { ListTasksInput } from '../use-cases/list-tasks.ts';
import {
  filterOf,
  optionalOwnerId,
  optionalProjectId,
  refuseTwoLists,
  refuseTwoScopes,
  scope,
} from './task.schemas.ts';

const fields = fieldsOf('taskflow.tasks.v1.ListTasksRequest');
const { maxLength: maxOrderCharacters = 0 } = fields.rule('order_by');
const maxOrderTerms = 3;
const orderRule = `must be at most ${maxOrderTerms} different keys out of ${sortKeys.join(', ')}, comma separated, each with " desc" or without`;

function toOrder(text: string): ListOrder | undefined {
  if (text.trim() === '') return newestFirst;
  if (text.length > maxOrderCharacters) return undefined;
  const terms = text.split(',').map((term) => {
    const [key, direction, ...rest] = term.trim().split(/ +/);
    const isTerm =
      sortKeys.includes(key as SortKey) && (direction === undefined || direction === 'desc') && rest.length === 0;
    return isTerm ? { key: key as SortKey, descending: direction === 'desc' } : undefined;
  });
  const order = terms.filter((term) => term !== undefined);
  const isOrder =
    order.length === terms.length &&
    order.length <= maxOrderTerms &&
    new Set(order.map(({ key }) => key)).size === order.length;
  return isOrder ? toTotal(order) : undefined;
}

/** Tasks of the same priority are in the order of creation, for which there is an index, unless another key is named. */
function toTotal(order: ListOrder): ListOrder {
  const [only, second] = order;
  return only?.key === 'priority' && second === undefined ? [only, { ...only, key: 'create_time' }] : order;
}

const orderBy = z.string().transform((text, context) => {
  const order = toOrder(text);
  if (order !== undefined) return order;
  context.addIssue(orderRule);
  return z.NEVER;
});

/** The range of a Timestamp. */
const earliest = Date.parse('0001-01-01T00:00:00Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');
const timeRule = 'must be a time between 0001-01-01 and 9999-12-31';
const time = z
  .date({ error: timeRule })
  .refine((value) => value.getTime() >= earliest && value.getTime() <= latest, timeRule)
  .optional();

const listSchema = z.object({
  pageSize: fields.pageSize(),
  pageToken: fields.pageToken(),
  statuses: filterOf(statuses),
  priorities: filterOf(priorities),
  ownerId: optionalOwnerId,
  projectId: optionalProjectId,
  scope,
  dueStartTime: time,
  dueEndTime: time,
  createStartTime: time,
  createEndTime: time,
  updateStartTime: time,
  updateEndTime: time,
  assigneeId: optionalOwnerId,
  labels: fields.texts('labels'),
  overdue: z.boolean().optional(),
  hasDue: z.boolean().optional(),
  text: fields.text('text'),
  orderBy,
  showDeleted: z.boolean(),
  readMask: z
    .array(z.string())
    .refine((paths) => paths.every(isReadable), 'must name only fields of a task')
    .optional()
    .transform((paths) => toReadMask(paths ?? [])),
});

export function readListTasks(request: ListTasksRequest): ListTasksInput {
  const parsed = parseRequest(listSchema, request, [
    ...refuseTwoLists(request),
    ...refuseTwoScopes(request),
    ...checkPosition(request),
  ]);
  const { ownerId, projectId, scope: wanted, orderBy: order, readMask, pageSize, pageToken, ...filters } = parsed;
  const { dueStartTime, dueEndTime, createStartTime, createEndTime, updateStartTime, updateEndTime, ...rest } = filters;
  const ranges = {
    due: { from: dueStartTime, before: dueEndTime },
    created: { from: createStartTime, before: createEndTime },
    updated: { from: updateStartTime, before: updateEndTime },
  };
  return { ownerId, projectId, scope: wanted, filter: { ...rest, ...ranges }, order, readMask, pageSize, pageToken };
}

function checkPosition({ orderBy: text, projectId }: ListTasksRequest): FieldViolation[] {
  const isByHand = toOrder(text)?.some(({ key }) => key === 'position') === true;
  return isByHand && projectId === ''
    ? [{ field: 'order_by', description: 'must name position only with project_id' }]
    : [];
}
