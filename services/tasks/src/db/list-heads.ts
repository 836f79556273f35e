import type { ListQuery } from '../deps.ts';
import { bucketColumn, conditionsOf } from './list-filters.ts';
import {
  comesAfter,
  idTerm,
  isByPriority,
  leadingKey,
  orderBy,
  orderColumns,
  orderText,
  orderWithin,
  termTypes,
  toCompared,
  type Part,
} from './list-order.ts';
import {
  bucketsToRead,
  partsOf,
  streamOf,
  rangeConditions,
  sourcesOf,
  type Reading,
  type Source,
} from './list-ranges.ts';
import { startOf, termsWithin, type Start } from './list-starts.ts';
import { createParameters, type Call, type Parameters } from './list-statements.ts';
import { taskColumns } from './task-row.ts';

/*
 * The other form of a list's statement, for lists by priority, and for those of many buckets that test no filter in passing. The
 * tasks of a bucket share their priority, and an index has them in the order of the other keys. So the head of each bucket is
 * read behind the position, and the heads are sorted. Merging so many ranges takes longer to plan than to read.
 */
const mostMerged = 4;

export function readsHeads(query: ListQuery): boolean {
  const { order, filter } = query;
  if (isByPriority(order)) return true;
  const rest = conditionsOf(filter, createParameters(), leadingKey(order));
  return rest.length === 0 && (bucketsToRead(query, 'owned')?.length ?? 1) > mostMerged;
}

/** Groups of parts to read one after the other until the page is full. */
export function headsParts({ filter, order }: ListQuery): Part[][] {
  if (!order.some(({ key }) => key === 'due_time')) return [['all']];
  // When another key comes first, dated and undated tasks alternate.
  return order[0]?.key === 'due_time' ? partsOf(filter).map((part) => [part]) : [partsOf(filter)];
}

/** A reading whose statement is being written. */
export interface Writing extends Reading {
  parameters: Parameters;
  limit: string;
}

/** The statement for a group of parts; undefined when the position is behind all of it. */
export function headsCall(reading: Reading): Call | undefined {
  const { query, parts } = reading;
  const parameters = createParameters();
  parameters.add(streamOf(query), 'uuid');
  const writing = { ...reading, parameters, limit: parameters.add(query.limit, 'int') };
  const heads = sourcesOf(query).flatMap((source) => parts.flatMap((part) => headsOf(writing, source, part) ?? []));
  if (heads.length === 0) return undefined;
  const page = `select id, found, stops from (${heads.join(' union all ')}) candidates order by ${orderBy(query.order)} limit ${writing.limit}`;
  const text = `select ${taskColumns}, page.found, page.stops from (${page}) page join tasks t using (id) order by ${orderBy(query.order)}`;
  return { text, values: parameters.values };
}

function headsOf(writing: Writing, source: Source, part: Part): string | undefined {
  const starts = startsOf(writing.query, source, part);
  if (starts.length === 0) return undefined;
  return `
    (select head.* from ${startsText(writing, part, starts, 'range')} cross join lateral (
      ${headText(writing, { source, part, ranges: starts.length })}) head)`;
}

/** Where the page begins in each bucket of a source, without those that come before it as a whole. */
export function startsOf(query: ListQuery, source: Source, part: Part): Start[] {
  const { order, after } = query;
  return (bucketsToRead(query, source) ?? []).flatMap((bucket) => startOf(bucket, part, order, after) ?? []);
}

/** The starts as rows: bucket, after_0 …, after_id. */
export function startsText(
  { query, parameters }: Pick<Writing, 'query' | 'parameters'>,
  part: Part,
  starts: Start[],
  name: string,
): string {
  const terms = termsWithin(query.order, part);
  const columns = [
    { name: 'bucket', values: starts.map(({ bucket }) => bucket), type: 'smallint[]' },
    ...terms.map(({ key }, index) => ({
      name: `after_${index}`,
      values: starts.map(({ values }) => values[index]),
      type: `${termTypes[key]}[]`,
    })),
    { name: 'after_id', values: starts.map(({ id }) => id), type: 'uuid[]' },
  ];
  const arrays = columns.map(({ values, type }) => parameters.add(values, type));
  return `unnest(${arrays.join(', ')}) as ${name} (${columns.map((column) => column.name).join(', ')})`;
}

/** What follows the start that is called `range`, in order and without regard to the filters that its index does not hold. */
export function passedText({ query, parameters }: Pick<Writing, 'query' | 'parameters'>, source: Source, part: Part) {
  const { order } = query;
  const terms = termsWithin(order, part).map((term, index) => ({
    ...toCompared(term, part),
    value: `range.after_${index}`,
  }));
  const conditions = [
    ...rangeConditions(query, source, part, parameters),
    `${bucketColumn} = range.bucket`,
    comesAfter([...terms, { ...idTerm(order), value: 'range.after_id' }]),
  ];
  return `from tasks where ${conditions.join(' and ')} order by ${orderText(orderWithin(order, part))}`;
}

/** The first tasks behind the start that is called `range`, of as many ranges. */
export function headText(
  writing: Writing,
  { source, part, ranges }: { source: Source; part: Part; ranges: number },
): string {
  const { query, parameters, limit, reach } = writing;
  const { filter, order } = query;
  const columns = ['id', ...orderColumns(order)].join(', ');
  const passed = passedText(writing, source, part);
  const rest = conditionsOf(filter, parameters, leadingKey(order));
  if (rest.length === 0) return `select ${columns}, true as found, false as stops ${passed} limit ${limit}`;
  const most = parameters.add(Math.max(reach.inBucket, Math.floor(reach.inAll / ranges)), 'int');
  return `
    select ${columns}, found, place = ${most} as stops
    from (select *, row_number() over () as place, (${rest.join(' and ')}) is true as found from (select * ${passed} limit ${most}) passed) placed
    where found or place = ${most} limit ${limit}`;
}
