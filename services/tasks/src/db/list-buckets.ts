import type { ListQuery } from '../deps.ts';
import type { ListOrder, SortKey } from '../domain/list-order.ts';
import { bucketNumbers, isDeletedBucket } from '../domain/task-buckets.ts';
import { priorities, statuses } from '../domain/task-enums.ts';
import { bucketsOf, timeKeys, windowOf, type TimeKey } from './list-filters.ts';
import type { Parameters } from './list-parameters.ts';
import type { Part } from './list-order.ts';
import { sourceConditions, type Source } from './list-sources.ts';

export interface Walk {
  query: ListQuery;
  parts: Part[];
  reach: Reach;
}

/** How many tasks a walk may pass: in all when it merges the buckets, else in each bucket, but at least its share of all. */
export interface Reach {
  inBucket: number;
  inAll: number;
}

export interface Reading extends Walk {
  parameters: Parameters;
  limit: string;
}

/** The key that the index has after the bucket; undefined = the id alone. */
export const leadingKey = (order: ListOrder): SortKey | undefined => order.find(({ key }) => key !== 'priority')?.key;

const everyBucket = bucketNumbers(statuses, priorities, false);

/** undefined = all buckets together, which has an index for the order by create_time only. */
export function bucketsToRead({ filter, order }: ListQuery, source: Source): number[] | undefined {
  const buckets = bucketsOf(filter);
  if (buckets === undefined) return order.length === 1 && order[0]?.key === 'create_time' ? undefined : everyBucket;
  return source === 'owned' ? buckets : buckets.filter((bucket) => !isDeletedBucket(bucket));
}

/** The conditions on the tasks of a source's part, in every bucket. */
export function bucketConditionsOf(
  { query, parameters }: Reading,
  source: Source,
  part: Part,
  acrossBuckets: boolean,
): string[] {
  const key = leadingKey(query.order);
  return [
    ...sourceConditions[source],
    ...(source === 'owned' && acrossBuckets ? ['delete_time is null'] : []),
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
