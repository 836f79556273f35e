import { cellConditionsOf, cellsToRead, leadingKey, type Reading } from './list-cells.ts';
import { conditionsOf } from './list-filters.ts';
import { comesAfter, idTerm, orderText, termTypes, toCompared, type Compared, type Part } from './list-order.ts';
import { sourcesOf } from './list-sources.ts';
import { startOf, termsWithin } from './list-starts.ts';

/*
 * With a filter that no index knows, all cells of all sources are merged first, and only as far as is needed: PostgreSQL takes
 * the next task from whichever cell has it, tries the filter on it, and ends with the page. Each cell has to be written out
 * for that, so such a statement is long; and where the priority is among the keys, cells are not alike and cannot be merged so.
 */
export function mayMerge({ query: { order, filter }, parts }: Pick<Reading, 'query' | 'parts'>): boolean {
  const rest = conditionsOf(filter, { values: [], add: () => '' }, leadingKey(order));
  return rest.length > 0 && parts.length === 1 && !order.some(({ key }) => key === 'priority');
}

/** The ids of the page, with what was `found` and the place where the walk `stops`; undefined when there is nothing to read. */
export function mergedText(reading: Reading, part: Part): string | undefined {
  const { query, parameters, limit, reach } = reading;
  const most = parameters.add(reach.inAll, 'int');
  const merged = mergedCells(reading, part, most);
  if (merged === undefined) return undefined;
  const rest = conditionsOf(query.filter, parameters, leadingKey(query.order));
  return `
    select id, found, place = ${most} as stops
    from (select id, row_number() over () as place, (${rest.join(' and ')}) is true as found from (${merged}) passed) placed
    where found or place = ${most} limit ${limit}`;
}

function mergedCells(reading: Reading, part: Part, most: string): string | undefined {
  const { query, parameters } = reading;
  const { order, after } = query;
  const start = startOf(undefined, part, order, after);
  if (start === undefined) return undefined;
  const terms = termsWithin(order, part);
  const within = [...terms.map((term) => toCompared(term, part)), idTerm(order)];
  const begin = [...terms.map(({ key }, index) => parameters.add(start.values[index], termTypes[key])), parameters.add(start.id, 'uuid')];
  const behind = comesAfter(within.map((term, index) => ({ ...term, value: begin[index] ?? '' })));
  const columns = ['*', ...terms.map((term, index) => `${toCompared(term, part).expression} as key_${index}`)].join(', ');
  const cells = sourcesOf(query).flatMap((source) => {
    const wanted = cellsToRead(query, source);
    const conditions = [...cellConditionsOf(reading, source, part, wanted === undefined), behind].join(' and ');
    const inEach = wanted?.map((cell) => `${conditions} and cell = ${parameters.add(cell, 'smallint')}`) ?? [conditions];
    return inEach.map((where) => `(select ${columns} from tasks where ${where} order by ${orderText(within)} limit ${most})`);
  });
  return cells.length === 0 ? undefined : `select * from (${cells.join(' union all ')}) cells order by ${orderText(within.map(named))} limit ${most}`;
}

/** By the names of columns: only so does PostgreSQL see that the cells are in this order already. */
const named = (term: Compared, index: number): Compared => (term.expression === 'id' ? term : { ...term, expression: `key_${index}` });
