import type { ListFilter, ListQuery } from '../deps.ts';
import type { SortKey } from '../domain/list-order.ts';
import { bucketNumbers, isDeletedBucket } from '../domain/task-buckets.ts';
import { priorities, statuses } from '../domain/task-enums.ts';
import { bucketColumn, bucketsOf, timeKeys, wantsDue, windowOf, type TimeKey } from './list-filters.ts';
import { isByPriority, leadingKey, type Part } from './list-order.ts';
import type { Parameters } from './list-statements.ts';

/**
 * The tasks that a person owns, those that others assigned to the person, and those of a project; deleted ones but
 * assigned. `shared`: those of one of the person's projects.
 */
export type Source = 'owned' | 'assigned' | 'project' | 'shared';

/** $1 is the person or the project; `range` names one of the person's projects. */
export const sourceConditions: Readonly<Record<Source, string[]>> = {
  owned: ['owner_id = $1::uuid'],
  assigned: ['assignee_id = $1::uuid', 'assignee_id <> owner_id', 'delete_time is null'],
  project: ['project_id = $1::uuid'],
  shared: ['project_id = range.project_id'],
};

/** The person or the project of a source. */
export const streamIn = (source: Source): string => (source === 'shared' ? 'range.project_id' : '$1::uuid');

export function sourcesOf({ whose, filter }: ListQuery): Source[] {
  if ('inProject' in whose) return ['project'];
  if ('ownedBy' in whose) return ['owned'];
  const [personId, shared]: [string, Source[]] = 'mine' in whose ? [whose.mine, []] : [whose.everything, ['shared']];
  const mayBeAssigned = filter.assigneeId === '' || filter.assigneeId === personId;
  return mayBeAssigned ? ['owned', 'assigned', ...shared] : ['owned', ...shared];
}

/** The person or the project whose tasks are listed. */
export function streamOf({ whose }: ListQuery): string {
  return Object.values(whose)[0] as string;
}

/** Reads one page, or what a page still lacks: `query.limit` tasks of these parts. */
export interface Reading {
  query: ListQuery;
  parts: Part[];
  reach: Reach;
}

/** How many tasks a filter may be tested on: in all, and in each bucket where buckets are read apart. */
export interface Reach {
  inBucket: number;
  inAll: number;
}

/** The parts that the filter leaves of a list by due time, in their order. */
export function partsOf(filter: ListFilter): Part[] {
  const { dated, undated } = wantsDue(filter);
  return [...(dated ? (['dated'] as const) : []), ...(undated ? (['undated'] as const) : [])];
}

const everyBucket = bucketNumbers(statuses, priorities, false);

/** The keys whose indexes of a person also exist without buckets, since the common lists are in their order. */
const plainKeys: readonly (SortKey | undefined)[] = ['create_time', 'due_time'];

/** The buckets to read apart. undefined = none: one range of an index has all tasks of the source in the list's order. */
export function bucketsToRead({ whose, filter, order }: ListQuery, source: Source): number[] | undefined {
  const buckets = bucketsOf(filter);
  const isOfPerson = 'mine' in whose || 'ownedBy' in whose;
  const isPlain = isOfPerson && plainKeys.includes(leadingKey(order)) && !isByPriority(order);
  if (buckets === undefined) return isPlain ? undefined : everyBucket;
  return source === 'assigned' ? buckets.filter((bucket) => !isDeletedBucket(bucket)) : buckets;
}

/**
 * The conditions of each range of an index that a list reads, as many as there are buckets. Within a range the tasks are in
 * the order of the leading key.
 */
export function rangesOf(query: ListQuery, source: Source, part: Part, parameters: Parameters): string[][] {
  const buckets = bucketsToRead(query, source);
  const conditions = rangeConditions(query, source, part, parameters);
  if (buckets === undefined) return [[...conditions, ...(source === 'owned' ? ['delete_time is null'] : [])]];
  return buckets.map((bucket) => [...conditions, `${bucketColumn} = ${parameters.add(bucket, 'smallint')}`]);
}

/** What the ranges of a source have in common. */
export function rangeConditions(query: ListQuery, source: Source, part: Part, parameters: Parameters): string[] {
  const key = leadingKey(query.order);
  return [
    ...sourceConditions[source],
    ...(isTimeKey(key) ? windowOf(key, query.filter, parameters) : []),
    ...partCondition[part],
  ];
}

const isTimeKey = (key: SortKey | undefined): key is TimeKey => timeKeys.includes(key as TimeKey);

const partCondition: Readonly<Record<Part, string[]>> = {
  all: [],
  dated: ['due_time is not null'],
  undated: ['due_time is null'],
};
