import { runStatement, type EntityManager, type RowOf, type Statement } from '#libs/db';
import { projectRoleFromJSON, type ProjectRole } from '#contract/tasks/v1/projects';
import type { LockedProject, LockedTask, TaskToLock } from '../domain/locked-task.ts';
import { taskTable } from '../domain/task.columns.ts';
import { Task } from '../domain/task.entity.ts';

/*
 * Locks of changes, in this order: tasks by id, projects by id, later the heads of streams. A project is locked so that it
 * is neither archived nor deleted, and so that nobody leaves it, before the change is committed; new numbers of tasks do
 * not disturb that. Members are locked only to read the row of after the project was waited for.
 *
 * $1 tasks, $2 with deleted ones, $3 who asks for each, $4 who is to be assigned to it.
 */
const lockText = (whenHeld: string): string => `
  with task as materialized (
    select ${taskTable.select()} from tasks where id = any ($1::uuid[]) and (delete_time is null or $2)
    order by id for update ${whenHeld}
  ), project as materialized (
    select id, archive_time, delete_time from projects where id = any (array(select "projectId" from task))
    order by id for key share ${whenHeld}
  ), member as materialized (
    select project_id, user_id, role from project_members
    where project_id = any (array(select id from project)) and user_id = any ($3::uuid[] || $4::uuid[]) for key share
  )
  select
    task.*, own.role as "ownRole", named.user_id is not null as "isAssigneeMember",
    project.archive_time is not null as "isArchived"
  from unnest($1::uuid[], $3::uuid[], $4::uuid[]) as asked (task_id, user_id, assignee_id)
  join task on task.id = asked.task_id
  left join project on project.id = task."projectId"
  left join member own on own.project_id = project.id and own.user_id = asked.user_id
  left join member named on named.project_id = project.id and named.user_id = asked.assignee_id
  where task."projectId" is null or project.id is not null and project.delete_time is null
  order by task.id`;

export const lockTasks: Statement = { name: 'lock_tasks', text: lockText('') };

/** Leaves out tasks that somebody else has locked, and those of a project that somebody else has locked. */
const lockFreeTasks: Statement = { name: 'lock_free_tasks', text: lockText('skip locked') };

export type StoredTask = RowOf<typeof taskTable.columns>;

export interface LockedRow extends StoredTask {
  ownRole: number | null;
  isAssigneeMember: boolean;
  isArchived: boolean;
}

export function toEntity(row: StoredTask): Task {
  return Task.of(taskTable.toValues(row));
}

export function toLockedTask({ ownRole, isAssigneeMember, isArchived, ...row }: LockedRow): LockedTask {
  const task = toEntity(row);
  const project = task.projectId === null ? undefined : { id: task.projectId, isArchived, isAssigneeMember };
  return { task, role: ownRole === null ? undefined : projectRoleFromJSON(ownRole), project };
}

/** A task, who asks for it, and whom the change would assign. */
export interface TaskLock extends TaskToLock {
  userId: string;
}

/** The tasks that are there, in the order of their ids, but for those of deleted projects. */
export async function lockThose(
  em: EntityManager,
  locks: readonly TaskLock[],
  { deleted, skipHeld = false }: { deleted: boolean; skipHeld?: boolean },
): Promise<LockedTask[]> {
  const rows = await runStatement<LockedRow>(em, skipHeld ? lockFreeTasks : lockTasks, [
    locks.map(({ taskId }) => taskId),
    deleted,
    locks.map(({ userId }) => userId),
    locks.map(({ assigneeId }) => assigneeId),
  ]);
  return rows.map(toLockedTask);
}

/* The lock of whoever takes numbers: it excludes others of them and all changes of the project and its members. */
const lockProjects: Statement = {
  name: 'lock_projects_for_numbers',
  text: `
    with project as materialized (
      select id, key, last_number, archive_time is not null as archived from projects
      where id = any ($1::uuid[]) and delete_time is null order by id for no key update
    ), member as materialized (
      select project_id, user_id, role from project_members
      where project_id = any (array(select id from project)) and user_id = any ($2::uuid[]) for key share
    )
    select id, key, last_number as "lastNumber", archived as "isArchived", user_id as "userId", role
    from project left join member on project_id = id order by id`,
};

interface ProjectMemberRow extends Omit<LockedProject, 'roles'> {
  userId: string | null;
  role: number | null;
}

/** The projects that are not deleted, with the roles of these people. */
export async function lockProjectsForTasks(
  em: EntityManager,
  projectIds: readonly string[],
  userIds: readonly string[],
): Promise<ReadonlyMap<string, LockedProject>> {
  if (projectIds.length === 0) return new Map();
  const rows = await runStatement<ProjectMemberRow>(em, lockProjects, [projectIds, userIds]);
  const found = new Map<string, LockedProject & { roles: Map<string, ProjectRole> }>();
  for (const { userId, role, ...project } of rows) {
    const known = found.get(project.id) ?? { ...project, roles: new Map<string, ProjectRole>() };
    if (userId !== null && role !== null) known.roles.set(userId, projectRoleFromJSON(role));
    found.set(project.id, known);
  }
  return found;
}
