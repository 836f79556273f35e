import { createLoader, type SqlReader, type Statement } from '#libs/db';
import type { ExplainDueResponse, Task, TaskState } from '#contract/tasks/v1/tasks';
import { projectRoleFromJSON, type ProjectRole } from '#contract/tasks/v1/projects';
import type { ListPosition, ListQuery } from '../deps.ts';
import type { Accessed } from '../domain/task-access.ts';
import { countEverything, toEveryCount, type EveryCountRow } from './count-everything.ts';
import { countTasks, countTasksOfProject, toCounts, type CountsRow, type TaskCounts } from './task-counts.ts';
import { createTaskLists } from './task-lists.ts';
import { explainDue, toState, type StateRow } from './due-reader.ts';
import { taskColumns, toTask, type TaskRow } from './task-row.ts';

/* $1 tasks, $2 who asks for each of them, $3 with deleted ones. */
const findTasks: Statement = {
  name: 'find_tasks',
  text: `
    select ${taskColumns}, asked.user_id as "askedBy", m.role as "ownRole"
    from unnest($1::uuid[], $2::uuid[]) as asked (task_id, user_id)
    join tasks t on t.id = asked.task_id and (t.delete_time is null or $3)
    left join projects p on p.id = t.project_id
    left join project_members m on m.project_id = t.project_id and m.user_id = asked.user_id
    where p.delete_time is null`,
};

const taskStates: Statement = {
  name: 'task_states',
  text: `
    select t.id, t.status, t.version, t.due_version, t.owner_id, t.assignee_id
    from tasks t left join projects p on p.id = t.project_id
    where t.id = any ($1::uuid[]) and t.delete_time is null and p.delete_time is null`,
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
  /** With the person's role in its project. Tasks of deleted projects do not exist. */
  find(taskId: string, userId: string): Promise<Accessed<Task> | undefined>;
  /** The tasks that exist, in any order; with `deleted` also deleted ones. */
  findMany(taskIds: readonly string[], userId: string, options?: { deleted: boolean }): Promise<Accessed<Task>[]>;
  /** In the query's order; fewer than the limit when they would be too large for one message. `next` is undefined at the end. */
  list(query: ListQuery): Promise<{ tasks: Task[]; next: ListPosition | undefined }>;
  /** Counters and overdue tasks of a person, all as of one moment. */
  count(personId: string): Promise<TaskCounts>;
  /** The same of a project, and the role in it of whom asks; undefined when there is no such project. */
  countInProject(
    projectId: string,
    userId: string,
  ): Promise<(TaskCounts & { role: ProjectRole | undefined }) | undefined>;
  /** The same of all that a person may see, each task once, as if the person owned it. */
  countEverything(personId: string): Promise<TaskCounts>;
  /**
   * Those of the people who share a task or a project with a person. One statement, which does the same work for each of
   * them, known or not, who shares none.
   */
  findSharing(personId: string, otherIds: readonly string[]): Promise<Set<string>>;
  states(taskIds: string[]): Promise<TaskState[]>;
  /** What is known about the due time; the state of a task that does not exist is undefined. */
  explainDue(taskId: string): Promise<ExplainDueResponse>;
}

/** A task, and who asks for it. */
interface TaskQuestion {
  taskId: string;
  userId: string;
}

const keyOf = ({ taskId, userId }: TaskQuestion): string => `${taskId} ${userId}`;

function toQuestion(key: string): TaskQuestion {
  const [taskId = '', userId = ''] = key.split(' ');
  return { taskId, userId };
}

interface AccessedTask extends Accessed<Task> {
  askedBy: string;
}

interface AccessedRow extends TaskRow {
  askedBy: string;
  ownRole: number | null;
}

function toAccessed(row: AccessedRow): AccessedTask {
  const { askedBy, ownRole } = row;
  return { task: toTask(row), role: toRole(ownRole), askedBy };
}

const toRole = (stored: number | null): ProjectRole | undefined =>
  stored === null ? undefined : projectRoleFromJSON(stored);

export function createTaskReader(reader: SqlReader): TaskReader {
  const lists = createTaskLists(reader);
  const findAll = async (asks: readonly TaskQuestion[], deleted: boolean): Promise<AccessedTask[]> => {
    const parameters = [asks.map(({ taskId }) => taskId), asks.map(({ userId }) => userId), deleted];
    return (await reader.query<AccessedRow>(findTasks, parameters)).map(toAccessed);
  };
  const tasks = createLoader({
    name: 'find_tasks',
    read: (keys) => findAll(keys.map(toQuestion), false),
    keyOf: ({ task, askedBy }: AccessedTask) => keyOf({ taskId: task.id, userId: askedBy }),
  });
  return {
    find: (taskId, userId) => tasks.load(keyOf({ taskId, userId })),
    findMany: async (taskIds, userId, { deleted } = { deleted: false }) => {
      if (taskIds.length === 0) return [];
      return findAll(
        taskIds.map((taskId) => ({ taskId, userId })),
        deleted,
      );
    },
    list: (query) => lists.read(query),
    count: async (personId) => toCounts((await reader.query<CountsRow>(countTasks, [personId]))[0]),
    countInProject: async (projectId, userId) => {
      const [row] = await reader.query<CountsRow & { ownRole: number | null }>(countTasksOfProject, [
        projectId,
        userId,
      ]);
      return row && { ...toCounts(row), role: toRole(row.ownRole) };
    },
    countEverything: async (personId) =>
      toEveryCount((await reader.query<EveryCountRow>(countEverything, [personId]))[0]),
    findSharing: async (personId, otherIds) =>
      new Set((await reader.query<{ other: string }>(findSharing, [personId, otherIds])).map(({ other }) => other)),
    states: async (taskIds) => (await reader.query<StateRow>(taskStates, [taskIds])).map(toState),
    explainDue: (taskId) => explainDue(reader, taskId),
  };
}
