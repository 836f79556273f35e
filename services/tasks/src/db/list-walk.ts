import type { ListQuery } from '../deps.ts';
import { cellConditionsOf, cellsToRead, leadingKey, type Reading, type Walk } from './list-cells.ts';
import { conditionsOf, createParameters, wantsDue } from './list-filters.ts';
import { mayMerge, mergedText } from './list-merge.ts';
import { comesAfter, idTerm, orderBy, orderColumns, orderText, termTypes, toCompared, type Part } from './list-order.ts';
import { personOf, sourcesOf, type Source } from './list-sources.ts';
import { startOf, termsWithin, type Start } from './list-starts.ts';
import { taskColumns } from './task-row.ts';

/*
 * Reads a list in its order. From every source and cell the head is read, out of an index that begins with them and ends
 * with the key and the id, and the heads are merged. A filter that no index knows is tried on each task that is passed, and
 * only as many are as the walk may `reach`: where that ends, the page ends too, and the next one goes on from there. So the
 * work for a page depends on the page and on the reach, never on how many tasks there are.
 * The exception are keys after the first one, other than the priority: they sort all tasks that are equal in the first.
 */

/** The parts of a list that are read one after the other; most lists have one group. */
export function partGroups({ order, filter }: ListQuery): Part[][] {
  const first = leadingKey(order);
  if (first !== 'due_time') return [['all']];
  const { dated, undated } = wantsDue(filter);
  const parts: Part[] = [...(dated ? (['dated'] as const) : []), ...(undated ? (['undated'] as const) : [])];
  // Where another key comes first, dated and undated tasks alternate.
  return order[0]?.key === 'due_time' ? parts.map((part) => [part]) : [parts];
}

/** The text of the walk and its values; undefined when it could find nothing. */
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
  const cells = cellsToRead(reading.query, source);
  const starts = (cells ?? [undefined]).flatMap((cell) => startOf(cell, part, order, after) ?? []);
  if (starts.length === 0) return undefined;
  return `
    (select head.* from ${startsText(reading, part, starts)} cross join lateral (
      ${headText(reading, source, part, cells)}) head)`;
}

function startsText({ query, parameters }: Reading, part: Part, starts: Start[]): string {
  const terms = termsWithin(query.order, part);
  const isCelled = starts[0]?.cell !== undefined;
  const columns = [
    ...(isCelled ? [{ name: 'cell', values: starts.map(({ cell }) => cell), type: 'smallint[]' }] : []),
    ...terms.map(({ key }, index) => ({ name: `after_${index}`, values: starts.map(({ values }) => values[index]), type: `${termTypes[key]}[]` })),
    { name: 'after_id', values: starts.map(({ id }) => id), type: 'uuid[]' },
  ];
  const arrays = columns.map(({ values, type }) => parameters.add(values, type));
  return `unnest(${arrays.join(', ')}) as start (${columns.map(({ name }) => name).join(', ')})`;
}

function headText(reading: Reading, source: Source, part: Part, cells: number[] | undefined): string {
  const { query, parameters, limit, reach } = reading;
  const { filter, order } = query;
  const key = leadingKey(order);
  const rest = conditionsOf(filter, parameters, key);
  const columns = ['id', ...orderColumns(order)].join(', ');
  const within = [...termsWithin(order, part).map((term) => toCompared(term, part)), idTerm(order)];
  const conditions = [
    ...cellConditionsOf(reading, source, part, cells === undefined),
    ...(cells === undefined ? [] : ['cell = start.cell']),
    comesAfter(within.map((term, index) => ({ ...term, value: term.expression === 'id' ? 'start.after_id' : `start.after_${index}` }))),
  ];
  const passed = `from tasks where ${conditions.join(' and ')} order by ${orderText(within)}`;
  if (rest.length === 0) return `select ${columns}, true as found, false as stops ${passed} limit ${limit}`;
  const most = parameters.add(Math.max(reach.inCell, Math.floor(reach.inAll / (cells?.length ?? 1))), 'int');
  return `
    select ${columns}, found, place = ${most} as stops
    from (select *, row_number() over () as place, (${rest.join(' and ')}) is true as found from (select * ${passed} limit ${most}) passed) placed
    where found or place = ${most} limit ${limit}`;
}
