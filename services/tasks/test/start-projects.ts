import { Project, ProjectRole, type ProjectMember } from '#contract/tasks/v1/projects';
import type { ProjectsServiceService } from '#contract/tasks/v1/projects';
import type { Stub } from '#dev/stubs';
import type { TestUser } from './start-tasks.ts';

export type ProjectsClient = Stub<typeof ProjectsServiceService>;

/** What `refused` gives for the refusals that many tests expect. */
export const projectNotFound = { kind: 'not_found', reason: 'PROJECT_NOT_FOUND' };
export const roleRequired = { kind: 'permission_denied', reason: 'ROLE_REQUIRED' };
export const lastManager = { kind: 'failed_precondition', reason: 'LAST_MANAGER' };
export const archived = { kind: 'failed_precondition', reason: 'PROJECT_ARCHIVED' };

export async function createProject(
  projects: ProjectsClient,
  { as }: Pick<TestUser, 'as'>,
  fields: Partial<Project> = {},
): Promise<Project> {
  const request = { project: Project.fromPartial({ key: 'WEB', name: 'Website', ...fields }) };
  const { project } = await projects.createProject(request, as);
  if (project === undefined) throw new Error('the answer has no project');
  return project;
}

export const byId = (userId: string) => ({ $case: 'userId', value: userId }) as const;
export const byEmail = (email: string) => ({ $case: 'email', value: email }) as const;

/** Adds the person, as the manager. */
export async function addMember(
  projects: ProjectsClient,
  { as }: Pick<TestUser, 'as'>,
  { projectId, userId, role = ProjectRole.VIEWER }: { projectId: string; userId: string; role?: ProjectRole },
): Promise<ProjectMember> {
  const { member } = await projects.addMember({ projectId, person: byId(userId), role }, as);
  if (member === undefined) throw new Error('the answer has no member');
  return member;
}
