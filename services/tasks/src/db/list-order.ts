import { taskPriorityToNumber, type Task } from '#contract/tasks/v1/tasks';
import type { ListPosition } from '../deps.ts';
import type { ListOrder, SortKey, SortTerm } from '../domain/list-order.ts';
import type { Parameters } from './list-filters.ts';

/*
 * Tasks without due time come last in both directions. An index holds them last when it is read forward and first when
 * it is read backward, so a list that is ordered by due time before all else is read in two parts, dated and undated.
 * Everywhere else an infinite time stands for none.
 */
export type Part = 'all' | 'dated' | 'undated';

const types: Readonly<Record<SortKey, string>> = {
  create_time: 'timestamptz',
  update_time: 'timestamptz',
  due_time: 'timestamptz',
  priority: 'smallint',
  title: 'text',
};

const noDueTime = ({ descending }: SortTerm): string => (descending ? '-infinity' : 'infinity');

interface OrderedBy {
  expression: string;
  descending: boolean;
  /** The parameter's value for what the last task of the page before had. */
  valueOf(last: string | number | null): unknown;
  type: string;
}

const asIs = (last: string | number | null): unknown => last;

function toOrderedBy(term: SortTerm, isLeadingPart: boolean): OrderedBy {
  const { key, descending } = term;
  const plain = { descending, type: types[key], valueOf: asIs };
  if (key === 'title') return { ...plain, expression: 'title collate "C"' };
  if (key !== 'due_time' || isLeadingPart) return { ...plain, expression: key };
  const nothing = noDueTime(term);
  return { ...plain, expression: `coalesce(due_time, '${nothing}'::timestamptz)`, valueOf: (last) => last ?? nothing };
}

function termsOf(order: ListOrder, part: Part): OrderedBy[] {
  return order.map((term, index) => toOrderedBy(term, part !== 'all' && index === 0));
}

const directionOf = (order: ListOrder): string => (order.at(-1)?.descending === true ? 'desc' : 'asc');

/** The columns that an order needs. */
export function orderColumns(order: ListOrder): string[] {
  return order.map(({ key }) => key);
}

export function orderBy(order: ListOrder, part: Part): string {
  const terms = termsOf(order, part).map(({ expression, descending }) => `${expression} ${descending ? 'desc' : 'asc'}`);
  return [...terms, `id ${directionOf(order)}`].join(', ');
}

/** The parts of a list that may hold tasks after a position, each to be read in its own order. */
export function partsAfter(order: ListOrder, after: ListPosition | undefined): Part[] {
  if (order[0]?.key !== 'due_time') return ['all'];
  return after !== undefined && after.values[0] === null ? ['undated'] : ['dated', 'undated'];
}

export const partCondition: Readonly<Record<Part, string[]>> = {
  all: [],
  dated: ['due_time is not null'],
  undated: ['due_time is null'],
};

/** What holds for the tasks of a part that come after a position; nothing when all of them do. */
export function afterCondition(order: ListOrder, part: Part, after: ListPosition | undefined, parameters: Parameters): string[] {
  if (after === undefined || (part === 'undated' && after.values[0] !== null)) return [];
  const skipped = part === 'undated' ? 1 : 0;
  const terms = termsOf(order, part)
    .slice(skipped)
    .map((term, index) => ({ ...term, value: parameters.add(term.valueOf(after.values[index + skipped] ?? null), term.type) }));
  const id = { expression: 'id', descending: directionOf(order) === 'desc', value: parameters.add(after.id, 'uuid') };
  return [comesAfter([...terms, id])];
}

interface Compared {
  expression: string;
  descending: boolean;
  value: string;
}

const further = ({ expression, descending, value }: Compared): string => `${expression} ${descending ? '<' : '>'} ${value}`;

/** One comparison of rows where all directions are alike: an index begins reading exactly there. */
function comesAfter(terms: Compared[]): string {
  const [first] = terms as [Compared];
  if (terms.every(({ descending }) => descending === first.descending)) {
    return `(${terms.map(({ expression }) => expression).join(', ')}) ${first.descending ? '<' : '>'} (${terms.map(({ value }) => value).join(', ')})`;
  }
  const ways = terms.map((term, index) => [...terms.slice(0, index).map(({ expression, value }) => `${expression} = ${value}`), further(term)].join(' and '));
  // The first term alone says where in an index to begin.
  return `${first.expression} ${first.descending ? '<=' : '>='} ${first.value} and (${ways.map((way) => `(${way})`).join(' or ')})`;
}

export function positionOf(task: Task, order: ListOrder): ListPosition {
  return { values: order.map(({ key }) => valueOf(task, key)), id: task.id };
}

const times = { create_time: 'createTime', update_time: 'updateTime', due_time: 'dueTime' } as const;

function valueOf(task: Task, key: SortKey): string | number | null {
  if (key === 'priority') return taskPriorityToNumber(task.priority);
  if (key === 'title') return task.title;
  return task[times[key]]?.toISOString() ?? null;
}
