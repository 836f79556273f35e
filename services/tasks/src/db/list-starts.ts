import type { ListPosition } from '../deps.ts';
import type { ListOrder, SortTerm } from '../domain/list-order.ts';
import { priorityOfBucket } from '../domain/task-buckets.ts';
import { idTerm, noDueTime, type Part, type TermValue } from './list-order.ts';

/** The terms in which the tasks of a bucket's part differ. */
export function termsWithin(order: ListOrder, part: Part): SortTerm[] {
  return order.filter(({ key }) => key !== 'priority' && !(key === 'due_time' && part === 'undated'));
}

/** Where the page begins in a bucket: after these values of its terms and this id. */
export interface Start {
  bucket: number;
  values: TermValue[];
  id: string;
}

const lastText = '\u{10ffff}'.repeat(201);
const outermost = {
  time: ['-infinity', 'infinity'],
  text: ['', lastText],
  id: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
} as const;
type Kind = keyof typeof outermost;

/** A value before or after all others, in the direction of a term. */
const edge = (kind: Kind, descending: boolean, side: 'before' | 'behind'): string =>
  outermost[kind][descending === (side === 'before') ? 1 : 0];

const kindOf = ({ key }: SortTerm): Kind => (key === 'title' || key === 'position' ? 'text' : 'time');

/** Compares a value that all tasks of a bucket share with the position's. null comes last. */
function compare(own: TermValue, other: TermValue, descending: boolean): 'before' | 'same' | 'behind' {
  if (own === other) return 'same';
  if (own === null || other === null) return own === null ? 'behind' : 'before';
  return own < other !== descending ? 'before' : 'behind';
}

/** Where the page after a position begins in a bucket's part; undefined when the whole part comes before it. */
export function startOf(
  bucket: number,
  part: Part,
  order: ListOrder,
  after: ListPosition | undefined,
): Start | undefined {
  const values: TermValue[] = [];
  const fill = (side: 'before' | 'behind'): Start => ({
    bucket,
    values: [
      ...values,
      ...termsWithin(order, part)
        .slice(values.length)
        .map((term) => edge(kindOf(term), term.descending, side)),
    ],
    id: edge('id', idTerm(order).descending, side),
  });
  if (after === undefined) return fill('before');
  for (const [index, term] of order.entries()) {
    const value = after.values[index] ?? null;
    const side = sideOf(term, value, bucket, part);
    // The bucket comes after the position, so all of it belongs to the page.
    if (side === 'behind') return fill('before');
    if (side === 'before') return values.length === 0 ? undefined : fill('behind');
    if (side === 'varies') values.push(value ?? noDueTime(term));
  }
  return { bucket, values, id: after.id };
}

function sideOf(
  { key, descending }: SortTerm,
  value: TermValue,
  bucket: number,
  part: Part,
): 'before' | 'same' | 'behind' | 'varies' {
  if (key === 'priority') return compare(priorityOfBucket(bucket), value, descending);
  if (key === 'due_time' && part === 'undated') return compare(null, value, descending);
  return key === 'due_time' && part === 'dated' && value === null ? 'before' : 'varies';
}
