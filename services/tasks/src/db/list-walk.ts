import type { ListQuery } from '../deps.ts';
import type { ListOrder, SortKey } from '../domain/list-order.ts';
import { cellNumbers, isDeletedCell } from '../domain/task-cells.ts';
import { priorities, statuses } from '../domain/task-enums.ts';
import { cellsOf, conditionsOf, createParameters, wantsDue, windowOf, timeKeys, type Parameters, type TimeKey } from './list-filters.ts';
import { comesAfter, idTerm, orderBy, orderColumns, orderText, termTypes, toCompared, type Part } from './list-order.ts';
import { personOf, sourceConditions, sourcesOf, type Source } from './list-sources.ts';
import { startOf, termsWithin, type Start } from './list-starts.ts';
import { taskColumns } from './task-row.ts';

/*
 * Reads a list in its order. From every source and cell the head is read, out of an index that begins with them and ends
 * with the key and the id, and the heads are merged. A filter that no index knows is tried on each task that is passed, and
 * in each cell only as many are as it may `reach`: where that ends, the page ends too, and the next one goes on from there.
 * So the work for a page depends on the page and on the reach, never on how many tasks there are.
 * The exception are keys after the first one, other than the priority: they sort all tasks that are equal in the first.
 */
export interface Walk {
  query: ListQuery;
  parts: Part[];
  reach: Reach;
}

/** How many tasks a walk passes in a cell: this many, and its share of as many as all cells together may. */
export interface Reach {
  inCell: number;
  inAll: number;
}

/** The parts of a list that are read one after the other; most lists have one group. */
export function partGroups({ order, filter }: ListQuery): Part[][] {
  const first = leadingKey(order);
  if (first !== 'due_time') return [['all']];
  const { dated, undated } = wantsDue(filter);
  const parts: Part[] = [...(dated ? (['dated'] as const) : []), ...(undated ? (['undated'] as const) : [])];
  // Where another key comes first, dated and undated tasks alternate.
  return order[0]?.key === 'due_time' ? parts.map((part) => [part]) : [parts];
}

const leadingKey = (order: ListOrder): SortKey | undefined => order.find(({ key }) => key !== 'priority')?.key;

interface Reading extends Walk {
  parameters: Parameters;
  limit: string;
}

/** The text of the walk and its values; undefined when it could find nothing. */
export function walkCall(walk: Walk): { text: string; values: unknown[] } | undefined {
  const parameters = createParameters();
  parameters.add(personOf(walk.query), 'uuid');
  const reading = { ...walk, parameters, limit: parameters.add(walk.query.limit, 'int') };
  const heads = sourcesOf(walk.query).flatMap((source) => walk.parts.flatMap((part) => readHeads(reading, source, part) ?? []));
  if (heads.length === 0) return undefined;
  const order = orderBy(walk.query.order);
  const text = `
    select ${taskColumns}, page.found, page.stops
    from (select id, found, stops from (${heads.join(' union all ')}) candidates order by ${order} limit ${reading.limit}) page
    join tasks t using (id)
    order by ${order}`;
  return { text, values: parameters.values };
}

const everyCell = cellNumbers(statuses, priorities, false);

/** undefined: all cells together, which only the order by create_time has an index for. */
function cellsToRead({ filter, order }: ListQuery, source: Source): number[] | undefined {
  const cells = cellsOf(filter);
  if (cells === undefined) return order.length === 1 && order[0]?.key === 'create_time' ? undefined : everyCell;
  return source === 'owned' ? cells : cells.filter((cell) => !isDeletedCell(cell));
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
    ...sourceConditions[source],
    ...(source === 'owned' && cells === undefined ? ['delete_time is null'] : []),
    ...(cells === undefined ? [] : ['cell = start.cell']),
    ...(isTimeKey(key) ? windowOf(key, filter, parameters) : []),
    ...partCondition[part],
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

const isTimeKey = (key: SortKey | undefined): key is TimeKey => timeKeys.includes(key as TimeKey);

const partCondition: Readonly<Record<Part, string[]>> = { all: [], dated: ['due_time is not null'], undated: ['due_time is null'] };
