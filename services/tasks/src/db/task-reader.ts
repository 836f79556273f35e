import { createLoader, type SqlReader, type Statement } from '#libs/db';
import type { ExplainDueResponse, Task, TaskState } from '#contract/tasks/v1/tasks';
import type { ListPosition, ListQuery } from '../deps.ts';
import { createTaskLists } from './task-lists.ts';
import { explainDue, toState, type StateRow } from './due-reader.ts';
import { taskColumns, toTask, type TaskRow } from './task-row.ts';

const findTasks: Statement = {
  name: 'find_tasks',
  text: `select ${taskColumns} from tasks t where t.id = any ($1::uuid[]) and (t.delete_time is null or $2)`,
};

/*
 * One statement, so that counters and due times are of the same moment. The event log owns the heads. Overdue tasks are the
 * marked ones, whose number is kept, and the few that the sweep has not reached yet.
 */
const countTasks: Statement = {
  name: 'count_tasks',
  text: `
    select
      (select counters from event_stream_heads where stream_id = $1::uuid) as counters,
      coalesce(marked.owned, 0) + (select count(*) from task_due where owner_id = $1::uuid and overdue_time is null and due_time <= now()) as overdue_owned,
      coalesce(marked.assigned, 0) + (
        select count(*) from task_due
        where assignee_id = $1::uuid and assignee_id <> owner_id and overdue_time is null and due_time <= now()) as overdue_assigned
    from (select sum(owned)::bigint as owned, sum(assigned)::bigint as assigned from overdue_moves where person_id = $1::uuid) marked`,
};

const taskStates: Statement = {
  name: 'task_states',
  text: `
    select id, status, version, due_version, owner_id, assignee_id
    from tasks where id = any ($1::uuid[]) and delete_time is null`,
};

/** The limit keeps the planner from reading all of a person's assigned tasks instead. */
const oneTask = (owner: string, assignee: string): string => `(
  select true from tasks
  where owner_id = ${owner} and assignee_id = ${assignee} and assignee_id <> owner_id and delete_time is null limit 1)`;

/*
 * For each of the others at most one row of two ranges of an index, and one look into the members of each of the
 * person's projects. The limit keeps the planner from reading the projects of the others instead, whose number would
 * show in the time.
 */
export const findSharing: Statement = {
  name: 'find_sharing',
  text: `
    with own as materialized (
      select p.id from project_members m join projects p on p.id = m.project_id
      where m.user_id = $1::uuid and p.delete_time is null)
    select other from unnest($2::uuid[]) other
    where coalesce(${oneTask('$1::uuid', 'other')}, ${oneTask('other', '$1::uuid')}, (
      select true from own cross join lateral (
        select from project_members where project_id = own.id and user_id = other limit 1) member
      where other <> $1::uuid limit 1), false)`,
};

/** Reads columns straight into messages, without entities and without the names of people. Leaves out deleted tasks. */
export interface TaskReader {
  find(taskId: string): Promise<Task | undefined>;
  /** The tasks that exist, in any order; with `deleted` also deleted ones. */
  findMany(taskIds: readonly string[], options?: { deleted: boolean }): Promise<Task[]>;
  /** In the query's order; fewer than the limit when they would be too large for one message. `next` is undefined at the end. */
  list(query: ListQuery): Promise<{ tasks: Task[]; next: ListPosition | undefined }>;
  /** Counters and overdue tasks of a person, all as of one moment. */
  count(personId: string): Promise<{ counters: bigint[]; overdueOwned: bigint; overdueAssigned: bigint }>;
  /**
   * Those of the people who share a task or a project with a person. One statement, which does the same work for each of
   * them, known or not, who shares none.
   */
  findSharing(personId: string, otherIds: readonly string[]): Promise<Set<string>>;
  states(taskIds: string[]): Promise<TaskState[]>;
  /** What is known about the due time; the state of a task that does not exist is undefined. */
  explainDue(taskId: string): Promise<ExplainDueResponse>;
}

export function createTaskReader(reader: SqlReader): TaskReader {
  const lists = createTaskLists(reader);
  const findMany = async (taskIds: readonly string[], deleted = false): Promise<Task[]> =>
    (await reader.query<TaskRow>(findTasks, [taskIds, deleted])).map(toTask);
  const tasks = createLoader({ name: 'find_tasks', read: findMany, keyOf: ({ id }: Task) => id });
  return {
    find: (taskId) => tasks.load(taskId),
    findMany: async (taskIds, { deleted } = { deleted: false }) =>
      taskIds.length === 0 ? [] : findMany(taskIds, deleted),
    list: (query) => lists.read(query),
    count: async (personId) => {
      const [row] = await reader.query<{ counters: bigint[] | null; overdue_owned: bigint; overdue_assigned: bigint }>(
        countTasks,
        [personId],
      );
      return {
        counters: row?.counters ?? [],
        overdueOwned: row?.overdue_owned ?? 0n,
        overdueAssigned: row?.overdue_assigned ?? 0n,
      };
    },
    findSharing: async (personId, otherIds) =>
      new Set((await reader.query<{ other: string }>(findSharing, [personId, otherIds])).map(({ other }) => other)),
    states: async (taskIds) => (await reader.query<StateRow>(taskStates, [taskIds])).map(toState),
    explainDue: (taskId) => explainDue(reader, taskId),
  };
}
