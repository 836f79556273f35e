import type { Statement } from '#libs/db';
import { withoutHidden, type HiddenTasks } from '../domain/task-counters.ts';

/*
 * What the counters of a person hold and nobody shows them: tasks that are still to be handed over in projects that the person
 * has left, and those of deleted projects. Most people have none of these projects.
 */
const countHidden = `
      select json_agg(counted) from (
        select cell as bucket, owner_id = $1::uuid as owned, count(*) as count,
          count(*) filter (where status in (1, 2) and due_time <= now()) as overdue
        from (
          select project_id as id from project_departures where user_id = $1::uuid
          union all
          select p.id from project_members m join projects p on p.id = m.project_id
          where m.user_id = $1::uuid and p.delete_time is not null) hidden
        cross join lateral (
          select cell, owner_id, status, due_time from tasks
          where project_id = hidden.id and (owner_id = $1::uuid or assignee_id = $1::uuid) and delete_time is null
          offset 0) t
        group by 1, 2) counted`;

/*
 * One statement, so that counters and due times are of the same moment. The event log owns the heads. Overdue tasks are the
 * marked ones, whose number is kept, and the few that the sweep has not reached yet.
 */
const countingAll = (unmarked: string, hidden = 'null::json'): string => `
    select
      (${hidden}) as hidden,
      (select counters from event_stream_heads where stream_id = $1::uuid) as counters,
      coalesce(marked.owned, 0) + unmarked.owned as overdue_owned,
      coalesce(marked.assigned, 0) + unmarked.assigned as overdue_assigned
    from (select sum(owned)::bigint as owned, sum(assigned)::bigint as assigned from overdue_moves where person_id = $1::uuid) marked
    cross join (select ${unmarked}) unmarked`;

export const countTasks: Statement = {
  name: 'count_tasks',
  text: `
    ${countingAll(
      `
      (select count(*) from task_due where owner_id = $1::uuid and overdue_time is null and due_time <= now()) as owned,
      (select count(*) from task_due
        where assignee_id = $1::uuid and assignee_id <> owner_id and overdue_time is null and due_time <= now()) as assigned`,
      countHidden,
    )}`,
};

/* A project's tasks are counted as its owned ones. $2 who asks; without a row they may not see it. */
export const countTasksOfProject: Statement = {
  name: 'count_tasks_of_project',
  text: `
    select m.role as "ownRole", counted.*
    from projects p left join project_members m on m.project_id = p.id and m.user_id = $2
    cross join lateral (${countingAll(`
      (select count(*) from task_due
        where coalesce(project_id, owner_id) = $1::uuid and overdue_time is null and due_time <= now()) as owned,
      0::bigint as assigned`)}) counted
    where p.id = $1 and p.delete_time is null`,
};

/** See domain/task-counters.ts. */
export interface TaskCounts {
  counters: bigint[];
  overdueOwned: bigint;
  overdueAssigned: bigint;
}

export interface CountsRow {
  counters: bigint[] | null;
  overdue_owned: bigint;
  overdue_assigned: bigint;
  hidden: HiddenTasks[] | null;
}

export function toCounts(row: CountsRow | undefined): TaskCounts {
  const hidden = row?.hidden ?? [];
  const overdue = (owned: boolean): bigint =>
    BigInt(hidden.reduce((sum, each) => (each.owned === owned ? sum + each.overdue : sum), 0));
  return {
    counters: withoutHidden(row?.counters ?? [], hidden),
    overdueOwned: (row?.overdue_owned ?? 0n) - overdue(true),
    overdueAssigned: (row?.overdue_assigned ?? 0n) - overdue(false),
  };
}
