import { taskPriorityToNumber, type Task } from '#contract/tasks/v1/tasks';
import type { ListPosition } from '../deps.ts';
import type { ListOrder, SortKey, SortTerm } from '../domain/list-order.ts';
import { taskTable } from '../domain/task.columns.ts';
import type { Parameters } from './list-statements.ts';

/*
 * An index has tasks without a due time behind the others. Read backward, it begins with them, although they belong at the end,
 * so a list by due time is read in two parts, dated and undated.
 */
export type Part = 'all' | 'dated' | 'undated';

/** An expression that rows are compared by. */
export interface Compared {
  expression: string;
  descending: boolean;
}

/** The value of a term in the last task of a page: times as text, null for no due time. */
export type TermValue = string | number | null;

export const termTypes: Readonly<Record<SortKey, string>> = {
  create_time: 'timestamptz',
  update_time: 'timestamptz',
  due_time: 'timestamptz',
  priority: 'smallint',
  title: 'text',
  position: 'text',
};

/** Stands for no due time where dated and undated tasks are read together, so that tasks without one come last. */
export const noDueTime = ({ descending }: Pick<SortTerm, 'descending'>): string =>
  descending ? '-infinity' : 'infinity';

/** The key that an index has after the person and the bucket. */
export const leadingKey = (order: ListOrder): SortKey | undefined => order.find(({ key }) => key !== 'priority')?.key;

export const isByPriority = (order: ListOrder): boolean => order.some(({ key }) => key === 'priority');

export function toCompared(term: SortTerm, part: Part = 'all'): Compared {
  const { key, descending } = term;
  if (key === 'title' || key === 'position') return { descending, expression: `${columnOf(key)} collate "C"` };
  if (key === 'due_time' && part === 'all')
    return { descending, expression: `coalesce(due_time, '${noDueTime(term)}'::timestamptz)` };
  return { descending, expression: key };
}

const columnOf = (key: SortKey): string => (key === 'position' ? taskTable.nameOf('position') : key);

/** Ids have the direction of the last term. */
export function idTerm(order: ListOrder): Compared {
  return { expression: 'id', descending: order.at(-1)?.descending === true };
}

/**
 * The order within a range of an index, whose tasks have the same priority when the list is ordered by it. Where the index has
 * the due time, it is named as it stands there, although all undated tasks are equal in it.
 */
export function orderWithin(order: ListOrder, part: Part): Compared[] {
  const leading = leadingKey(order);
  const terms = order.filter(
    ({ key }) => key !== 'priority' && (key !== 'due_time' || key === leading || part !== 'undated'),
  );
  return [...terms.map((term) => toCompared(term, term.key === leading ? 'dated' : part)), idTerm(order)];
}

export function orderText(terms: readonly Compared[]): string {
  return terms.map(({ expression, descending }) => `${expression} ${descending ? 'desc' : 'asc'}`).join(', ');
}

/** The order of the whole list. */
export function orderBy(order: ListOrder): string {
  return orderText([...order.map((term) => toCompared(term)), idTerm(order)]);
}

/** The columns that an order needs. */
export function orderColumns(order: ListOrder): string[] {
  return order.map(({ key }) => columnOf(key));
}

/** The condition on the tasks of a list, or of a part of it, that come after a position; without a position there is none. */
export function afterCondition(
  order: ListOrder,
  after: ListPosition | undefined,
  parameters: Parameters,
  part: Part = 'all',
): string[] {
  if (after === undefined) return [];
  const terms = order.flatMap((term, index) => {
    if (term.key === 'due_time' && part === 'undated') return [];
    const value = after.values[index] ?? (term.key === 'due_time' ? noDueTime(term) : null);
    return { ...toCompared(term, part), value: parameters.add(value, termTypes[term.key]) };
  });
  return [comesAfter([...terms, { ...idTerm(order), value: parameters.add(after.id, 'uuid') }])];
}

type Bounded = Compared & { value: string };

const further = ({ expression, descending, value }: Bounded): string =>
  `${expression} ${descending ? '<' : '>'} ${value}`;

/** A single row comparison when all directions are the same, so that reading an index starts exactly there. */
export function comesAfter(terms: readonly Bounded[]): string {
  const [first] = terms as [Bounded];
  if (terms.every(({ descending }) => descending === first.descending)) {
    return `(${terms.map(({ expression }) => expression).join(', ')}) ${first.descending ? '<' : '>'} (${terms.map(({ value }) => value).join(', ')})`;
  }
  const ways = terms.map((term, index) =>
    [...terms.slice(0, index).map(({ expression, value }) => `${expression} = ${value}`), further(term)].join(' and '),
  );
  // The first term alone bounds where reading an index starts.
  return `${first.expression} ${first.descending ? '<=' : '>='} ${first.value} and (${ways.map((way) => `(${way})`).join(' or ')})`;
}

export function positionOf(task: Task, order: ListOrder): ListPosition {
  return { values: order.map(({ key }) => valueOf(task, key)), id: task.id };
}

const times = { create_time: 'createTime', update_time: 'updateTime', due_time: 'effectiveDueTime' } as const;

function valueOf(task: Task, key: SortKey): TermValue {
  if (key === 'priority') return taskPriorityToNumber(task.priority);
  if (key === 'title' || key === 'position') return task[key];
  return task[times[key]]?.toISOString() ?? null;
}
