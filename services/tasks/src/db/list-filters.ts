import { taskPriorityToNumber, taskStatusToNumber } from '#contract/tasks/v1/tasks';
import type { ListFilter, TimeRange } from '../deps.ts';
import { priorities, statuses } from '../domain/task-enums.ts';

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

/** Where the tasks of a list come from. */
export type Source = 'owned' | 'assigned' | 'deleted';

const isOverdue = '(status in (1, 2) and due_time <= now())';

/** Lists of numbers as the columns hold them; undefined = all of them. */
export interface Cells {
  statuses: number[] | undefined;
  priorities: number[] | undefined;
}

export function cellsOf(filter: ListFilter): Cells {
  const some = <T>(wanted: T[], all: readonly T[]): T[] | undefined => (wanted.length === 0 || wanted.length === all.length ? undefined : wanted);
  return {
    statuses: some(filter.statuses, statuses)?.map(taskStatusToNumber),
    priorities: some(filter.priorities, priorities)?.map(taskPriorityToNumber),
  };
}

/** One condition for each filter that is given, those of status, priority and text excepted. */
export function conditionsOf(filter: ListFilter, parameters: Parameters): string[] {
  const { due, created, updated, assigneeId, labels } = filter;
  return [
    ...rangeConditions('due_time', due, parameters),
    ...rangeConditions('create_time', created, parameters),
    ...rangeConditions('update_time', updated, parameters),
    ...(assigneeId === '' ? [] : [`assignee_id = ${parameters.add(assigneeId, 'uuid')}`]),
    ...(labels.length === 0 ? [] : [`labels @> ${parameters.add(labels, 'text[]')}`]),
    ...dueConditions(filter),
  ];
}

export function cellConditions(cells: Cells, parameters: Parameters): string[] {
  return [
    ...(cells.statuses === undefined ? [] : [`status = any (${parameters.add(cells.statuses, 'smallint[]')})`]),
    ...(cells.priorities === undefined ? [] : [`priority = any (${parameters.add(cells.priorities, 'smallint[]')})`]),
  ];
}

function rangeConditions(column: string, { from, before }: TimeRange, parameters: Parameters): string[] {
  const limit = (operator: string, time: Date | undefined): string[] =>
    time === undefined ? [] : [`${column} ${operator} ${parameters.add(time.toISOString(), 'timestamptz')}`];
  return [...limit('>=', from), ...limit('<', before)];
}

function dueConditions({ overdue, hasDue }: ListFilter): string[] {
  return [
    ...(hasDue === undefined ? [] : [`due_time is ${hasDue ? 'not ' : ''}null`]),
    ...(overdue === undefined ? [] : [overdue ? `${isOverdue} and delete_time is null` : `(${isOverdue} and delete_time is null) is not true`]),
  ];
}
