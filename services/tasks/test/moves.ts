import { ProjectRole, projectRoleToNumber, type Project } from '#contract/tasks/v1/projects';
import type { MoveTaskRequest, Task } from '#contract/tasks/v1/tasks';
import { createProject } from './start-projects.ts';
import type { TestTasks, TestUser } from './start-tasks.ts';

type Service = Pick<TestTasks, 'tasks' | 'projects' | 'sql'>;

/** Where users is down, so that nobody can be added by a call. */
export const joinBySql = (
  { sql }: Pick<Service, 'sql'>,
  { id }: Project,
  { userId }: TestUser,
  role: ProjectRole,
): Promise<unknown> =>
  sql('insert into project_members values ($1, $2, $3, 1, now(), now())', [id, userId, projectRoleToNumber(role)]);

/** A project that the user manages. */
export async function projectWith(
  service: Service,
  manager: TestUser,
  { key, members }: { key: string; members: readonly [TestUser, ProjectRole][] },
): Promise<Project> {
  const project = await createProject(service.projects, manager, { key });
  for (const [member, role] of members)
    if (role !== ProjectRole.UNSPECIFIED) await joinBySql(service, project, member, role);
  return project;
}

/** Without a project: out of the one that it is in. */
export async function moveTask(
  service: Pick<Service, 'tasks'>,
  { as }: Pick<TestUser, 'as'>,
  { task: { id: taskId }, project, ...rest }: { task: Task; project: Project | undefined } & Partial<MoveTaskRequest>,
): Promise<Task> {
  const { task } = await service.tasks.moveTask({ taskId, projectId: project?.id ?? '', ...rest }, as);
  if (task === undefined) throw new Error('the answer has no task');
  return task;
}
