import { openStatuses, priorities, statuses } from '../domain/task-enums.ts';
import { cellNumbers } from '../domain/task-cells.ts';
import type { SortKey } from '../domain/list-order.ts';
import type { ListFilter, TimeRange } from '../deps.ts';
import { holdsWords } from './list-search.ts';

/** The values of a statement; each becomes $1, $2, … and never part of its text. */
export interface Parameters {
  readonly values: unknown[];
  /** Gives the parameter's name, with its type. */
  add(value: unknown, type: string): string;
}

export function createParameters(): Parameters {
  const values: unknown[] = [];
  return { values, add: (value, type) => `$${values.push(value)}::${type}` };
}

/** The keys that a list can be limited by from both sides. */
export const timeKeys = ['due_time', 'update_time', 'create_time'] as const;
export type TimeKey = (typeof timeKeys)[number];

const rangeOf: Readonly<Record<TimeKey, (filter: ListFilter) => TimeRange>> = {
  due_time: ({ due }) => due,
  update_time: ({ updated }) => updated,
  create_time: ({ created }) => created,
};

/** Every task of the filter is in one of these cells; undefined: they are all that exist. */
export function cellsOf({ statuses: wantedStatuses, priorities: wantedPriorities, overdue, showDeleted }: ListFilter): number[] | undefined {
  const possible = overdue === true ? openStatuses : statuses;
  const [some, others] = [wantedStatuses, wantedPriorities].map(({ length }) => length > 0) as [boolean, boolean];
  if (!some && !others && overdue !== true && !showDeleted) return undefined;
  const chosen = some ? possible.filter((status) => wantedStatuses.includes(status as never)) : possible;
  return cellNumbers(chosen, others ? wantedPriorities : priorities, showDeleted && overdue !== true);
}

/** What the filter asks of one time: conditions that an index on it can begin and end with. */
export function windowOf(key: TimeKey, filter: ListFilter, parameters: Parameters): string[] {
  const { from, before } = rangeOf[key](filter);
  const limit = (operator: string, time: Date | undefined): string[] =>
    time === undefined ? [] : [`${key} ${operator} ${parameters.add(time.toISOString(), 'timestamptz')}`];
  const overdue = key === 'due_time' && filter.overdue === true ? ['due_time <= now()'] : [];
  return [...limit('>=', from), ...limit('<', before), ...overdue];
}

/** Only tasks with a due time, only those without, or both. */
export function wantsDue({ due, hasDue, overdue }: ListFilter): { dated: boolean; undated: boolean } {
  const limited = due.from !== undefined || due.before !== undefined || overdue === true;
  return { dated: hasDue !== false, undated: hasDue !== true && !limited };
}

/** What cells ask of a task that is read in another way than cell by cell. Deleted tasks are in cells of their own. */
export function cellConditions(filter: ListFilter, parameters: Parameters): string[] {
  const cells = cellsOf(filter);
  return [cells === undefined ? 'delete_time is null' : `cell = any (${parameters.add(cells, 'smallint[]')})`];
}

/** One condition for each filter that is given, those of cells excepted, and of the key whose window is read anyway. */
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
