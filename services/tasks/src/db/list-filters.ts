import { openStatuses, priorities, statuses } from '../domain/task-enums.ts';
import { taskTable } from '../domain/task.columns.ts';
import { bucketNumbers } from '../domain/task-buckets.ts';
import type { SortKey } from '../domain/list-order.ts';
import type { ListFilter, TimeRange } from '../deps.ts';
import type { Parameters } from './list-statements.ts';
import { holdsWords } from './list-search.ts';

/** The column's name in SQL. */
export const bucketColumn = taskTable.nameOf('bucket');

/** The keys that a filter can limit to a range. */
export const timeKeys = ['due_time', 'update_time', 'create_time'] as const;
export type TimeKey = (typeof timeKeys)[number];

const rangeOf: Readonly<Record<TimeKey, (filter: ListFilter) => TimeRange>> = {
  due_time: ({ due }) => due,
  update_time: ({ updated }) => updated,
  create_time: ({ created }) => created,
};

/** The buckets that the filter allows; undefined = all buckets of existing tasks. */
export function bucketsOf({
  statuses: wantedStatuses,
  priorities: wantedPriorities,
  overdue,
  showDeleted,
}: ListFilter): number[] | undefined {
  const possible = overdue === true ? openStatuses : statuses;
  const [some, others] = [wantedStatuses, wantedPriorities].map(({ length }) => length > 0) as [boolean, boolean];
  if (!some && !others && overdue !== true && !showDeleted) return undefined;
  const chosen = some ? possible.filter((status) => wantedStatuses.includes(status as never)) : possible;
  return bucketNumbers(chosen, others ? wantedPriorities : priorities, showDeleted && overdue !== true);
}

/** The filter's conditions on one time, which bound the range that is read from an index. */
export function windowOf(key: TimeKey, filter: ListFilter, parameters: Parameters): string[] {
  const { from, before } = rangeOf[key](filter);
  const limit = (operator: string, time: Date | undefined): string[] =>
    time === undefined ? [] : [`${key} ${operator} ${parameters.add(time.toISOString(), 'timestamptz')}`];
  const overdue = key === 'due_time' && filter.overdue === true ? ['due_time <= now()'] : [];
  return [...limit('>=', from), ...limit('<', before), ...overdue];
}

/** Whether the list has tasks with a due time, and tasks without. */
export function wantsDue({ due, hasDue, overdue }: ListFilter): { dated: boolean; undated: boolean } {
  const limited = due.from !== undefined || due.before !== undefined || overdue === true;
  return { dated: hasDue !== false, undated: hasDue !== true && !limited };
}

/** The buckets as a condition, for reads that do not go bucket by bucket. Deleted tasks are in separate buckets. */
export function bucketConditions(filter: ListFilter, parameters: Parameters): string[] {
  const buckets = bucketsOf(filter);
  return [
    buckets === undefined ? 'delete_time is null' : `${bucketColumn} = any (${parameters.add(buckets, 'smallint[]')})`,
  ];
}

/** One condition for each given filter, except those of buckets and the range of the key that is read in order. */
export function conditionsOf(filter: ListFilter, parameters: Parameters, read?: SortKey): string[] {
  const { assigneeId, labels, hasDue, overdue, text } = filter;
  return [
    ...timeKeys.filter((key) => key !== read).flatMap((key) => windowOf(key, filter, parameters)),
    ...(hasDue === undefined || read === 'due_time' ? [] : [`due_time is ${hasDue ? 'not ' : ''}null`]),
    ...(assigneeId === '' ? [] : [`assignee_id = ${parameters.add(assigneeId, 'uuid')}`]),
    ...(labels.length === 0 ? [] : [`labels @> ${parameters.add(labels, 'text[]')}`]),
    ...(overdue === false ? ['(status in (1, 2) and due_time <= now() and delete_time is null) is not true'] : []),
    ...(text === '' ? [] : [holdsWords(text, parameters)]),
  ];
}
