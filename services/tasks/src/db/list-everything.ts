import { ProjectRole, projectRoleToNumber } from '#contract/tasks/v1/projects';
import { bucketNumbers } from '../domain/task-buckets.ts';
import { priorities, statuses } from '../domain/task-enums.ts';
import { conditionsOf } from './list-filters.ts';
import { headText, passedText, startsOf, startsText, type Writing } from './list-heads.ts';
import { leadingKey, orderBy, orderColumns, type Part } from './list-order.ts';
import { sourcesOf, streamOf, type Reading, type Source } from './list-ranges.ts';
import { createParameters, type Call } from './list-statements.ts';
import { taskColumns } from './task-row.ts';

/*
 * Everything that a person may see: what the person owns, what others assigned, and the tasks of up to 200 projects. Each
 * bucket of each of them is a range, 3,000 of them or more. Only those whose first task comes early can have a part in the
 * page, so the first task of each is read, and then the rest of the ranges that come first. A task may stand in two
 * ranges, as one of the person's own and as one of a project, and counts once.
 */

/** $1 is the person. */
export const ownProjects = `
  own_projects as materialized (
    select m.project_id, m.role >= ${projectRoleToNumber(ProjectRole.EDITOR)} as may_write
    from project_members m join projects p on p.id = m.project_id
    where m.user_id = $1::uuid and p.delete_time is null)`;

/** Deleted tasks are for those who may bring them back. */
export const isSeenDeleted = '(delete_time is null or range.may_write)';

/** Buckets of deleted tasks are behind the others. */
const lastUndeleted = Math.max(...bucketNumbers(statuses, priorities, false));

/** How many ranges are read on when tasks are tested in passing. */
const mostTested = 48;

/** The ranges of a source in a part of the list. */
interface Kind {
  number: number;
  source: Source;
  part: Part;
  /** `unnest(…) as start (…)`: where each of its buckets begins. */
  starts: string;
}

/** The statement for a group of parts; undefined when the position is behind all of it. */
export function everythingCall(reading: Reading): Call | undefined {
  const { query } = reading;
  const parameters = createParameters();
  parameters.add(streamOf(query), 'uuid');
  const writing = { ...reading, parameters, limit: parameters.add(query.limit, 'int') };
  const kinds = kindsOf(writing);
  if (kinds.length === 0) return undefined;
  const rest = conditionsOf(query.filter, parameters, leadingKey(query.order));
  // Each task stands in two ranges at most, so twice as many as there is room for hold the page.
  const kept = parameters.add(rest.length === 0 ? 2 * query.limit + 1 : mostTested, 'int');
  const columns = ['id', ...orderColumns(query.order)].join(', ');
  const order = orderBy(query.order);
  const heads = kinds.map((kind) => headsText(writing, kind, kept));
  // What follows in the ranges that are left out is unknown, so the page ends where the first of them begins.
  const end = `
    (select ${columns}, (${rest.join(' and ')}) is true as found, true as stops from tasks
    where id = (select id from placed where place = ${kept} + 1))`;
  const candidates = [...heads, ...(rest.length === 0 ? [] : [end])].join(' union all ');
  const firsts = kinds.map((kind) => firstsText(writing, kind, columns)).join(' union all ');
  const text = `
    with ${ownProjects},
    placed as materialized (
      select *, row_number() over (order by ${order}) as place
      from (select * from (${firsts}) firsts order by ${order} limit ${kept} + 1) first)
    select ${taskColumns}, page.found, page.stops from (
      select id, bool_or(found) as found, bool_or(stops) as stops from (${candidates}) candidates
      group by ${columns} order by ${order} limit ${writing.limit}) page
    join tasks t using (id) order by ${order}`;
  return { text, values: parameters.values };
}

function kindsOf(writing: Writing): Kind[] {
  const { query, parts } = writing;
  const found = sourcesOf(query).flatMap((source) =>
    parts.flatMap((part) => {
      const starts = startsOf(query, source, part);
      return starts.length === 0 ? [] : [{ source, part, starts: startsText(writing, part, starts, 'start') }];
    }),
  );
  return found.map((kind, number) => ({ ...kind, number }));
}

/** The first task of each range, whatever filters are tested in passing. */
function firstsText(writing: Writing, { number, source, part, starts }: Kind, columns: string): string {
  const ranges =
    source === 'shared'
      ? `own_projects own cross join ${starts} where own.may_write or start.bucket <= ${lastUndeleted}`
      : `(select null::uuid as project_id) own cross join ${starts}`;
  return `
    (select ${number} as kind, range.project_id, range.bucket, head.* from (select own.project_id, start.* from ${ranges}) range
    cross join lateral (select ${columns} ${passedText(writing, source, part)} limit 1) head)`;
}

/** The first tasks of each range that may have a part in the page. */
function headsText(writing: Writing, { number, source, part, starts }: Kind, kept: string): string {
  return `
    (select head.* from (
      select placed.project_id, start.* from placed join ${starts} using (bucket)
      where placed.kind = ${number} and placed.place <= ${kept}) range
    cross join lateral (${headText(writing, { source, part, ranges: mostTested })}) head)`;
}
