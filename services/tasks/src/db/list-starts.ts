import type { ListPosition } from '../deps.ts';
import type { ListOrder, SortTerm } from '../domain/list-order.ts';
import { priorityOfCell } from '../domain/task-cells.ts';
import { idTerm, noDueTime, type Part, type TermValue } from './list-order.ts';

/** The terms that differ within a cell and a part of it. */
export function termsWithin(order: ListOrder, part: Part): SortTerm[] {
  return order.filter(({ key }) => key !== 'priority' && !(key === 'due_time' && part === 'undated'));
}

/** Where in a cell the page begins: behind these values of its terms, and behind this id. */
export interface Start {
  /** undefined: the list is read across all cells. */
  cell: number | undefined;
  values: TermValue[];
  id: string;
}

const lastTitle = '\u{10ffff}'.repeat(201);
const outermost = {
  time: ['-infinity', 'infinity'],
  title: ['', lastTitle],
  id: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
} as const;
type Kind = keyof typeof outermost;

/** Before everything, or behind everything, in the direction of a term. */
const edge = (kind: Kind, descending: boolean, side: 'before' | 'behind'): string => outermost[kind][descending === (side === 'before') ? 1 : 0];

const kindOf = ({ key }: SortTerm): Kind => (key === 'title' ? 'title' : 'time');

/** Where a value that all tasks of a cell share stands, seen from the position's. Nothing comes last. */
function compare(own: TermValue, other: TermValue, descending: boolean): 'before' | 'same' | 'behind' {
  if (own === other) return 'same';
  if (own === null || other === null) return own === null ? 'behind' : 'before';
  return own < other !== descending ? 'before' : 'behind';
}

/** The start of a cell's part for the page after a position; undefined when all of it comes before. */
export function startOf(cell: number | undefined, part: Part, order: ListOrder, after: ListPosition | undefined): Start | undefined {
  const values: TermValue[] = [];
  const fill = (side: 'before' | 'behind'): Start => ({
    cell,
    values: [...values, ...termsWithin(order, part).slice(values.length).map((term) => edge(kindOf(term), term.descending, side))],
    id: edge('id', idTerm(order).descending, side),
  });
  if (after === undefined) return fill('before');
  for (const [index, term] of order.entries()) {
    const value = after.values[index] ?? null;
    const side = sideOf(term, value, cell, part);
    // What comes behind the position comes behind it with everything that it holds.
    if (side === 'behind') return fill('before');
    if (side === 'before') return values.length === 0 ? undefined : fill('behind');
    if (side === 'varies') values.push(value ?? noDueTime(term));
  }
  return { cell, values, id: after.id };
}

function sideOf({ key, descending }: SortTerm, value: TermValue, cell: number | undefined, part: Part): 'before' | 'same' | 'behind' | 'varies' {
  if (key === 'priority' && cell !== undefined) return compare(priorityOfCell(cell), value, descending);
  if (key === 'due_time' && part === 'undated') return compare(null, value, descending);
  return key === 'due_time' && part === 'dated' && value === null ? 'before' : 'varies';
}
