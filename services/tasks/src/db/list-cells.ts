import type { ListQuery } from '../deps.ts';
import type { ListOrder, SortKey } from '../domain/list-order.ts';
import { cellNumbers, isDeletedCell } from '../domain/task-cells.ts';
import { priorities, statuses } from '../domain/task-enums.ts';
import { cellsOf, timeKeys, windowOf, type Parameters, type TimeKey } from './list-filters.ts';
import type { Part } from './list-order.ts';
import { sourceConditions, type Source } from './list-sources.ts';

export interface Walk {
  query: ListQuery;
  parts: Part[];
  reach: Reach;
}

/** How many tasks a walk passes: in all when it merges the cells, else in each cell, at least its share of all. */
export interface Reach {
  inCell: number;
  inAll: number;
}

export interface Reading extends Walk {
  parameters: Parameters;
  limit: string;
}

/** The key that the indexes of cells end with; none: the id alone. */
export const leadingKey = (order: ListOrder): SortKey | undefined => order.find(({ key }) => key !== 'priority')?.key;

const everyCell = cellNumbers(statuses, priorities, false);

/** undefined: all cells together, which only the order by create_time has an index for. */
export function cellsToRead({ filter, order }: ListQuery, source: Source): number[] | undefined {
  const cells = cellsOf(filter);
  if (cells === undefined) return order.length === 1 && order[0]?.key === 'create_time' ? undefined : everyCell;
  return source === 'owned' ? cells : cells.filter((cell) => !isDeletedCell(cell));
}

/** What holds for all tasks of a source's part, in every cell. */
export function cellConditionsOf({ query, parameters }: Reading, source: Source, part: Part, acrossCells: boolean): string[] {
  const key = leadingKey(query.order);
  return [
    ...sourceConditions[source],
    ...(source === 'owned' && acrossCells ? ['delete_time is null'] : []),
    ...(isTimeKey(key) ? windowOf(key, query.filter, parameters) : []),
    ...partCondition[part],
  ];
}

const isTimeKey = (key: SortKey | undefined): key is TimeKey => timeKeys.includes(key as TimeKey);

const partCondition: Readonly<Record<Part, string[]>> = { all: [], dated: ['due_time is not null'], undated: ['due_time is null'] };
