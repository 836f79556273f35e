import type { Statement } from '#libs/db';
import { bucketCount, bucketNumbers } from '../domain/task-buckets.ts';
import { openStatuses, priorities } from '../domain/task-enums.ts';
import type { TaskCounts } from './task-counts.ts';

/** Buckets of open tasks come first. */
const lastOpen = Math.max(...bucketNumbers(openStatuses, priorities, false));

const countOf = (whose: string): string => `
        select cell as bucket, count(*) as count, count(*) filter (where cell <= ${lastOpen} and due_time <= now()) as overdue
        from tasks where ${whose} and project_id is not null and delete_time is null group by cell`;

/* As statistics of a person or a project count them: the marked ones, and the few that the sweep has not reached yet. */
const overdueOf = (id: string, unmarked: string): string => `
      coalesce((select sum(owned + assigned) from overdue_moves where person_id = ${id}), 0)::bigint + (
        select count(*) from task_due where ${unmarked} and overdue_time is null and due_time <= now())`;

/*
 * The tasks of the person's projects, and those of the person that are in no project: of the person's own and assigned ones,
 * which have counters, those in projects are taken away, whether they are seen or not. An index has these alone. One
 * statement, so that all of it is of one moment.
 */
export const countEverything: Statement = {
  name: 'count_everything',
  text: `
    with own_projects as materialized (
      select p.id from project_members m join projects p on p.id = m.project_id
      where m.user_id = $1::uuid and p.delete_time is null)
    select
      (select counters from event_stream_heads where stream_id = $1::uuid) as counters,
      (select json_agg(head.counters) from own_projects join event_stream_heads head on head.stream_id = own_projects.id) as "ofProjects",
      (select json_agg(mine) from (${countOf('owner_id = $1::uuid')}
        union all ${countOf('assignee_id = $1::uuid and assignee_id <> owner_id')}) mine) as "inProjects",
      ${overdueOf('$1::uuid', 'owner_id = $1::uuid')} + (
        select count(*) from task_due
        where assignee_id = $1::uuid and assignee_id <> owner_id and overdue_time is null and due_time <= now()) as overdue,
      (select coalesce(sum(${overdueOf('own_projects.id', 'coalesce(project_id, owner_id) = own_projects.id')}), 0)
        from own_projects)::bigint as "overdueOfProjects"`,
};

export interface EveryCountRow {
  counters: bigint[] | null;
  ofProjects: number[][] | null;
  /** `bucket` from 1 on. */
  inProjects: { bucket: number; count: number; overdue: number }[] | null;
  overdue: bigint;
  overdueOfProjects: bigint;
}

export function toEveryCount(row: EveryCountRow | undefined): TaskCounts {
  const counters = Array.from({ length: bucketCount }, (_, index) => {
    const own = (row?.counters?.[index] ?? 0n) + (row?.counters?.[bucketCount + index] ?? 0n);
    const shared = (row?.ofProjects ?? []).reduce((sum, each) => sum + (each[index] ?? 0), 0);
    return own + BigInt(shared);
  });
  let overdue = (row?.overdue ?? 0n) + (row?.overdueOfProjects ?? 0n);
  for (const { bucket, count, overdue: late } of row?.inProjects ?? []) {
    counters[bucket - 1] = (counters[bucket - 1] ?? 0n) - BigInt(count);
    overdue -= BigInt(late);
  }
  return { counters, overdueOwned: overdue, overdueAssigned: 0n };
}
