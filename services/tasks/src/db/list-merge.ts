import { bucketConditionsOf, bucketsToRead, leadingKey, type Reading } from './list-buckets.ts';
import { bucketColumn, conditionsOf } from './list-filters.ts';
import { comesAfter, idTerm, orderText, termTypes, toCompared, type Compared, type Part } from './list-order.ts';
import { sourcesOf } from './list-sources.ts';
import { startOf, termsWithin } from './list-starts.ts';

/*
 * With a filter that has no index, PostgreSQL merges all buckets and tests the filter on one task after the other until the page
 * is full. Each bucket is written out in the statement, so it is long. When the list is ordered by priority, buckets differ in a
 * key and cannot be merged this way.
 */
export function mayMerge({ query: { order, filter }, parts }: Pick<Reading, 'query' | 'parts'>): boolean {
  const rest = conditionsOf(filter, { values: [], add: () => '' }, leadingKey(order));
  return rest.length > 0 && parts.length === 1 && !order.some(({ key }) => key === 'priority');
}

/** Selects the ids of the page, with `found` and the place where the walk `stops`; undefined when there is nothing to read. */
export function mergedText(reading: Reading, part: Part): string | undefined {
  const { query, parameters, limit, reach } = reading;
  const most = parameters.add(reach.inAll, 'int');
  const merged = mergedBuckets(reading, part, most);
  if (merged === undefined) return undefined;
  const rest = conditionsOf(query.filter, parameters, leadingKey(query.order));
  return `
    select id, found, place = ${most} as stops
    from (select id, row_number() over () as place, (${rest.join(' and ')}) is true as found from (${merged}) passed) placed
    where found or place = ${most} limit ${limit}`;
}

function mergedBuckets(reading: Reading, part: Part, most: string): string | undefined {
  const { query, parameters } = reading;
  const { order, after } = query;
  const start = startOf(undefined, part, order, after);
  if (start === undefined) return undefined;
  const terms = termsWithin(order, part);
  const within = [...terms.map((term) => toCompared(term, part)), idTerm(order)];
  const begin = [
    ...terms.map(({ key }, index) => parameters.add(start.values[index], termTypes[key])),
    parameters.add(start.id, 'uuid'),
  ];
  const behind = comesAfter(within.map((term, index) => ({ ...term, value: begin[index] ?? '' })));
  const columns = ['*', ...terms.map((term, index) => `${toCompared(term, part).expression} as key_${index}`)].join(
    ', ',
  );
  const buckets = sourcesOf(query).flatMap((source) => {
    const wanted = bucketsToRead(query, source);
    const conditions = [...bucketConditionsOf(reading, source, part, wanted === undefined), behind].join(' and ');
    const inEach = wanted?.map(
      (bucket) => `${conditions} and ${bucketColumn} = ${parameters.add(bucket, 'smallint')}`,
    ) ?? [conditions];
    return inEach.map(
      (where) => `(select ${columns} from tasks where ${where} order by ${orderText(within)} limit ${most})`,
    );
  });
  return buckets.length === 0
    ? undefined
    : `select * from (${buckets.join(' union all ')}) buckets order by ${orderText(within.map(named))} limit ${most}`;
}

/** With names of columns, PostgreSQL sees that the buckets are already in this order. */
const named = (term: Compared, index: number): Compared =>
  term.expression === 'id' ? term : { ...term, expression: `key_${index}` };
