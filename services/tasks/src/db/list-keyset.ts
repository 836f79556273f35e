import type { ListQuery } from '../deps.ts';
import type { ListOrder } from '../domain/list-order.ts';
import { conditionsOf } from './list-filters.ts';
import { afterCondition, leadingKey, orderText, orderWithin, type Compared, type Part } from './list-order.ts';
import { partsOf, streamOf, rangesOf, sourcesOf, type Reading } from './list-ranges.ts';
import { createParameters, type Call, type Parameters } from './list-statements.ts';
import { taskColumns } from './task-row.ts';

/*
 * How a list is read: an index has the person's tasks in the list's order, and the page is what follows the position there. What
 * the person owns and what others assigned are two ranges, merged on the way; when statuses or priorities limit the list, or
 * its key has no index without buckets, there is a range for each bucket.
 *
 * A filter that the index does not hold is tested on one task after the other until the page is full. After `reach` tasks the
 * page ends short, and its token continues from there. So the cost of a page does not grow with the number of tasks. The
 * exception are second keys: tasks that are equal in the first key are sorted.
 */

/**
 * The parts to read one after the other until the page is full. The first page of a list by ascending due time is one part,
 * because the index has undated tasks last, too. Behind a position, a row comparison would leave them out.
 */
export function keysetParts({ order, filter, after }: ListQuery): Part[] {
  const [first] = order;
  if (first?.key !== 'due_time') return ['all'];
  const parts = partsOf(filter);
  return after === undefined && parts.length === 2 && !first.descending ? ['all'] : parts;
}

/** The statement for one part; undefined when nothing can be in it, or all of it is before the position. */
export function keysetCall({ query, parts: [part = 'all'], reach }: Reading): Call | undefined {
  const { order, filter, after } = query;
  const parameters = createParameters();
  parameters.add(streamOf(query), 'uuid');
  const limit = parameters.add(query.limit, 'int');
  const behind = conditionBehind(order, part, after, parameters);
  if (behind === undefined) return undefined;
  const rest = conditionsOf(filter, parameters, leadingKey(order));
  const most = rest.length === 0 ? limit : parameters.add(reach.inAll, 'int');
  const within = orderWithin(order, part);
  const merged = mergedRanges({ query, part, within, behind, most, parameters });
  if (merged === '') return undefined;
  const mergedOrder = orderText(within.map(named));
  const text =
    rest.length === 0
      ? `select ${taskColumns}, true as found, false as stops from (${merged}) t order by ${mergedOrder} limit ${limit}`
      : `
    select ${taskColumns}, t.found, t.stops from (
      select *, place = ${most} as stops
      from (select *, row_number() over () as place, (${rest.join(' and ')}) is true as found
        from (select * from (${merged}) ranges order by ${mergedOrder} limit ${most}) passed) placed
      where found or place = ${most} limit ${limit}) t
    order by t.place`;
  return { text, values: parameters.values };
}

/** The condition on the tasks of a part that come after the position; undefined when none do. */
function conditionBehind(
  order: ListOrder,
  part: Part,
  after: ListQuery['after'],
  parameters: Parameters,
): string[] | undefined {
  const isUndated = after?.values[0] === null;
  if (part === 'dated' && isUndated) return undefined;
  if (part === 'undated' && !isUndated) return [];
  return afterCondition(order, after, parameters, part);
}

interface Merge {
  query: ListQuery;
  part: Part;
  within: readonly Compared[];
  behind: readonly string[];
  most: string;
  parameters: Parameters;
}

/**
 * All ranges, each in order; '' when the filter leaves none. Every range is written out, since PostgreSQL merges subselects and
 * reads no further than it must.
 */
function mergedRanges({ query, part, within, behind, most, parameters }: Merge): string {
  const keys = within.slice(0, -1).map(({ expression }, index) => `, ${expression} as key_${index}`);
  const ranges = sourcesOf(query).flatMap((source) => rangesOf(query, source, part, parameters));
  return ranges
    .map((conditions) => [...conditions, ...behind].join(' and '))
    .map((where) => `(select *${keys.join('')} from tasks where ${where} order by ${orderText(within)} limit ${most})`)
    .join(' union all ');
}

/** With names of columns, PostgreSQL sees that the ranges are already in this order. */
const named = (term: Compared, index: number): Compared =>
  term.expression === 'id' ? term : { ...term, expression: `key_${index}` };
