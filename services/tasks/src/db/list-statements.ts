import type { Statement } from '#libs/db';
import { taskColumns } from './task-row.ts';

/*
 * Parameters: $1 person, $2 create_time and $3 id of the last task of the page before, $4 limit; with a filter also
 * $5 statuses and $6 priorities, pairwise: the cells to read.
 *
 * Every part of a page is read from an index that begins with the person, holds each equality filter and ends with the
 * sort key. A filter over several statuses and priorities reads the head of each cell and merges: at most 16 short
 * scans, where one scan over the person's rows would grow with all the rows that do not match.
 */
const existing = 'delete_time is null';
const sources = {
  owned: `owner_id = $1 and ${existing}`,
  assigned: `assignee_id = $1 and assignee_id <> owner_id and ${existing}`,
} as const;

type Source = keyof typeof sources;

function pageOf(source: Source, cell: string): string {
  return `
    select id, create_time from tasks
    where ${sources[source]}${cell} and (create_time, id) < ($2::timestamptz, $3::uuid)
    order by create_time desc, id desc limit $4`;
}

const readAll = (source: Source): string => `(${pageOf(source, '')})`;

const readCells = (source: Source): string => `(
  select page.id, page.create_time
  from unnest($5::smallint[], $6::smallint[]) as cell (status, priority)
  cross join lateral (${pageOf(source, ' and status = cell.status and priority = cell.priority')}) page)`;

function listStatement(name: string, parts: string[]): Statement {
  return {
    name,
    text: `
      select ${taskColumns}
      from (select id from (${parts.join(' union all ')}) candidates order by create_time desc, id desc limit $4) page
      join tasks t using (id)
      order by t.create_time desc, t.id desc`,
  };
}

export const listStatements = {
  owned: listStatement('list_owned', [readAll('owned')]),
  mine: listStatement('list_mine', [readAll('owned'), readAll('assigned')]),
  ownedFiltered: listStatement('list_owned_filtered', [readCells('owned')]),
  mineFiltered: listStatement('list_mine_filtered', [readCells('owned'), readCells('assigned')]),
} as const;

/** Before every task: where the first page begins. */
export const beforeFirst = { createTime: 'infinity', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' } as const;
