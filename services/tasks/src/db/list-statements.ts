import { createHash } from 'node:crypto';
import type { Statement } from '#libs/db';
import type { ListFilter, ListQuery } from '../deps.ts';
import type { ListOrder } from '../domain/list-order.ts';
import { cellConditions, cellsOf, conditionsOf, createParameters, type Cells, type Parameters, type Source } from './list-filters.ts';
import { afterCondition, orderBy, orderColumns, partCondition, partsAfter, type Part } from './list-order.ts';
import { taskColumns } from './task-row.ts';

/*
 * A list is read from up to three sources, each in the list's order and only as far as the page needs, and then merged.
 * For every key there is an index that begins with the person and ends with that key and the id, for the owned and for
 * the assigned tasks: so the work for a page grows with the page, not with the list, unless a filter passes over rows.
 * What may pass over rows of the person: labels, assignee, overdue and ranges over another key than the order's, status and
 * priority under another order than create_time, and second keys, which sort the rows that are equal in the first.
 */
const sources: Readonly<Record<Source, string[]>> = {
  owned: ['owner_id = $1::uuid', 'delete_time is null'],
  assigned: ['assignee_id = $1::uuid', 'assignee_id <> owner_id', 'delete_time is null'],
  deleted: ['owner_id = $1::uuid', 'delete_time is not null'],
};

/** The most matches of a text that are found: the newest. */
export const maxTextMatches = 1000;

interface Reading {
  query: ListQuery;
  parameters: Parameters;
  limit: string;
}

/** The statement of a query with its values. Only those that are asked most are prepared, so that a client cannot make a connection hold ever more of them. */
export function listCall(query: ListQuery): [Statement, unknown[]] {
  const { whose } = query;
  const parameters = createParameters();
  parameters.add('mine' in whose ? whose.mine : whose.ownedBy, 'uuid');
  const reading = { query, parameters, limit: parameters.add(query.limit, 'int') };
  const text = query.filter.text === '' ? listText(reading) : searchText(reading);
  return [{ name: isFrequent(query) ? nameOf(text) : '', text }, parameters.values];
}

function sourcesOf({ whose, filter }: ListQuery): Source[] {
  const mine = 'mine' in whose;
  const mayBeAssigned = mine && (filter.assigneeId === '' || filter.assigneeId === whose.mine);
  return ['owned', ...(mayBeAssigned ? (['assigned'] as const) : []), ...(filter.showDeleted ? (['deleted'] as const) : [])];
}

const isNewestOrOldest = (order: ListOrder): boolean => order.length === 1 && order[0]?.key === 'create_time';

function listText(reading: Reading): string {
  const { order, after } = reading.query;
  const readings = sourcesOf(reading.query).flatMap((source) => partsAfter(order, after).map((part) => readPart(reading, source, part)));
  return pageText(order, `select id from (${readings.join(' union all ')}) candidates order by ${mergedOrder(order)} limit ${reading.limit}`);
}

/** Statuses and priorities are cells with an index for the order by create_time: the head of each is read, at most 16. */
function readPart(reading: Reading, source: Source, part: Part): string {
  const { filter, order } = reading.query;
  const cells = cellsOf(filter);
  const isCelled = cells.statuses !== undefined || cells.priorities !== undefined;
  if (isCelled && source !== 'deleted' && isNewestOrOldest(order)) return readCells(reading, source, cells);
  return `(${headOf(reading, source, part, cellConditions(cells, reading.parameters))})`;
}

const everyCell = [1, 2, 3, 4];

function readCells(reading: Reading, source: Source, { statuses = everyCell, priorities = everyCell }: Cells): string {
  const { parameters, query } = reading;
  const pairs = statuses.flatMap((status) => priorities.map((priority) => ({ status, priority })));
  const cell = [pairs.map(({ status }) => status), pairs.map(({ priority }) => priority)].map((values) => parameters.add(values, 'smallint[]'));
  return `(
    select ${columnsFor(query.order, 'head.')} from unnest(${cell.join(', ')}) as cell (status, priority)
    cross join lateral (${headOf(reading, source, 'all', ['status = cell.status', 'priority = cell.priority'])}) head)`;
}

function headOf({ query, parameters, limit }: Reading, source: Source, part: Part, cell: string[]): string {
  const { filter, order, after } = query;
  const conditions = [
    ...sources[source],
    ...cell,
    ...conditionsOf(filter, parameters),
    ...partCondition[part],
    ...afterCondition(order, part, after, parameters),
  ];
  return `
    select ${columnsFor(order)} from tasks
    where ${conditions.join(' and ')}
    order by ${orderBy(order, part)} limit ${limit}`;
}

function columnsFor(order: ListOrder, prefix = ''): string {
  return ['id', ...orderColumns(order)].map((column) => `${prefix}${column}`).join(', ');
}

const mergedOrder = (order: ListOrder): string => orderBy(order, 'all');

function pageText(order: ListOrder, page: string): string {
  return `select ${taskColumns} from (${page}) page join tasks t using (id) order by ${mergedOrder(order)}`;
}

/** Nothing but the words may choose the index: every other one would have the words of each of its tasks computed. */
const searches: Readonly<Record<Source, { matching: string; rest: string }>> = {
  owned: { matching: 'task_words(owner_id, title, description)', rest: 'delete_time is null' },
  assigned: { matching: 'assignee_id <> owner_id and task_words(assignee_id, title, description)', rest: 'delete_time is null' },
  deleted: { matching: 'task_words(owner_id, title, description)', rest: 'delete_time is not null' },
};

/*
 * The index of words holds every word together with its person, so a search reads what that person's words match and
 * nothing of others. The newest matches are chosen before the page, so that all pages are of the same matches.
 */
function searchText(reading: Reading): string {
  const { query, parameters, limit } = reading;
  const { order, after, filter } = query;
  const words = `task_query($1::uuid, ${parameters.add(filter.text, 'text')})`;
  const conditions = [...conditionsOf(filter, parameters), ...cellConditions(cellsOf(filter), parameters)];
  const columns = [...new Set(['id', 'create_time', ...orderColumns(order)])].join(', ');
  const found = sourcesOf(query).map((source) => {
    const { matching, rest } = searches[source];
    const where = [rest, ...conditions].join(' and ');
    return `(
      select ${columns} from (select * from tasks where ${matching} @@ ${words} offset 0) tasks
      where ${where} order by create_time desc, id desc limit ${maxTextMatches})`;
  });
  const rest = afterCondition(order, 'all', after, parameters);
  return `
    with found as materialized (
      select * from (${found.join(' union all ')}) matches order by create_time desc, id desc limit ${maxTextMatches})
    ${pageText(order, `select id from found ${rest.length === 0 ? '' : `where ${rest.join(' and ')}`} order by ${mergedOrder(order)} limit ${limit}`)}`;
}

/** One order and at most one filter, not both: fewer than a hundred statements. */
function isFrequent({ filter, order }: ListQuery): boolean {
  const given = filtersGiven(filter);
  return (isNewestOrOldest(order) && given <= 1) || (order.length === 1 && given === 0);
}

function filtersGiven({ statuses, priorities, due, created, updated, ...rest }: ListFilter): number {
  const { assigneeId, labels, overdue, hasDue, text, showDeleted } = rest;
  const ranges = [due, created, updated].flatMap(({ from, before }) => [from !== undefined, before !== undefined]);
  const cells = statuses.length > 0 || priorities.length > 0;
  return [...ranges, cells, assigneeId !== '', labels.length > 0, overdue !== undefined, hasDue !== undefined, text !== '', showDeleted].filter(Boolean).length;
}

function nameOf(text: string): string {
  return `list_${createHash('sha1').update(text).digest('base64url')}`;
}
