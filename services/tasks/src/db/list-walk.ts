import type { ListQuery } from '../deps.ts';
import { bucketConditionsOf, bucketsToRead, leadingKey, type Reading, type Walk } from './list-buckets.ts';
import { bucketColumn, conditionsOf, wantsDue } from './list-filters.ts';
import { createParameters } from './list-parameters.ts';
import { mayMerge, mergedText } from './list-merge.ts';
import {
  comesAfter,
  idTerm,
  orderBy,
  orderColumns,
  orderText,
  termTypes,
  toCompared,
  type Part,
} from './list-order.ts';
import { personOf, sourcesOf, type Source } from './list-sources.ts';
import { startOf, termsWithin, type Start } from './list-starts.ts';
import { taskColumns } from './task-row.ts';

/*
 * How a list is read: for each bucket of owned and of assigned tasks, an index in the list's order yields the next tasks, and
 * these are merged into one page. A filter without an index is tested on each task on the way, and after `reach` tasks the page
 * ends short and its token continues from there.
 *
 * So the cost of a page depends on the page and the reach, never on the number of tasks. The exception are second and later
 * keys other than the priority: they sort all tasks that are equal in the first key.
 */

/** The groups of parts, which are read one after the other. Most lists have one group. */
export function partGroups({ order, filter }: ListQuery): Part[][] {
  const first = leadingKey(order);
  if (first !== 'due_time') return [['all']];
  const { dated, undated } = wantsDue(filter);
  const parts: Part[] = [...(dated ? (['dated'] as const) : []), ...(undated ? (['undated'] as const) : [])];
  // When another key comes first, dated and undated tasks alternate.
  return order[0]?.key === 'due_time' ? parts.map((part) => [part]) : [parts];
}

/** The statement of the walk; undefined when it cannot find anything. */
export function walkCall(walk: Walk): { text: string; values: unknown[] } | undefined {
  const parameters = createParameters();
  parameters.add(personOf(walk.query), 'uuid');
  const reading = { ...walk, parameters, limit: parameters.add(walk.query.limit, 'int') };
  const page = mayMerge(walk) ? mergedText(reading, walk.parts[0] ?? 'all') : headsText(reading);
  if (page === undefined) return undefined;
  const text = `select ${taskColumns}, page.found, page.stops from (${page}) page join tasks t using (id) order by ${orderBy(walk.query.order)}`;
  return { text, values: parameters.values };
}

function headsText(reading: Reading): string | undefined {
  const { query, parts, limit } = reading;
  const heads = sourcesOf(query).flatMap((source) => parts.flatMap((part) => readHeads(reading, source, part) ?? []));
  if (heads.length === 0) return undefined;
  return `select id, found, stops from (${heads.join(' union all ')}) candidates order by ${orderBy(query.order)} limit ${limit}`;
}

function readHeads(reading: Reading, source: Source, part: Part): string | undefined {
  const { order, after } = reading.query;
  const buckets = bucketsToRead(reading.query, source);
  const starts = (buckets ?? [undefined]).flatMap((bucket) => startOf(bucket, part, order, after) ?? []);
  if (starts.length === 0) return undefined;
  return `
    (select head.* from ${startsText(reading, part, starts)} cross join lateral (
      ${headText(reading, source, part, buckets)}) head)`;
}

function startsText({ query, parameters }: Reading, part: Part, starts: Start[]): string {
  const terms = termsWithin(query.order, part);
  const hasBuckets = starts[0]?.bucket !== undefined;
  const columns = [
    ...(hasBuckets ? [{ name: 'bucket', values: starts.map(({ bucket }) => bucket), type: 'smallint[]' }] : []),
    ...terms.map(({ key }, index) => ({
      name: `after_${index}`,
      values: starts.map(({ values }) => values[index]),
      type: `${termTypes[key]}[]`,
    })),
    { name: 'after_id', values: starts.map(({ id }) => id), type: 'uuid[]' },
  ];
  const arrays = columns.map(({ values, type }) => parameters.add(values, type));
  return `unnest(${arrays.join(', ')}) as start (${columns.map(({ name }) => name).join(', ')})`;
}

function headText(reading: Reading, source: Source, part: Part, buckets: number[] | undefined): string {
  const { query, parameters, limit, reach } = reading;
  const { filter, order } = query;
  const key = leadingKey(order);
  const rest = conditionsOf(filter, parameters, key);
  const columns = ['id', ...orderColumns(order)].join(', ');
  const within = [...termsWithin(order, part).map((term) => toCompared(term, part)), idTerm(order)];
  const conditions = [
    ...bucketConditionsOf(reading, source, part, buckets === undefined),
    ...(buckets === undefined ? [] : [`${bucketColumn} = start.bucket`]),
    comesAfter(
      within.map((term, index) => ({
        ...term,
        value: term.expression === 'id' ? 'start.after_id' : `start.after_${index}`,
      })),
    ),
  ];
  const passed = `from tasks where ${conditions.join(' and ')} order by ${orderText(within)}`;
  if (rest.length === 0) return `select ${columns}, true as found, false as stops ${passed} limit ${limit}`;
  const most = parameters.add(Math.max(reach.inBucket, Math.floor(reach.inAll / (buckets?.length ?? 1))), 'int');
  return `
    select ${columns}, found, place = ${most} as stops
    from (select *, row_number() over () as place, (${rest.join(' and ')}) is true as found from (select * ${passed} limit ${most}) passed) placed
    where found or place = ${most} limit ${limit}`;
}
