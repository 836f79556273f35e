import type { UserActor } from '#libs/runtime';
import { ProjectRole, type GetProjectResponse, type Project } from '#contract/tasks/v1/projects';
import type { TasksDeps } from '../../deps.ts';
import { requireInProject } from '../../domain/project-access.ts';
import { projectNotFound } from '../../domain/project.errors.ts';

/** Throws PROJECT_NOT_FOUND, also when the person may not see it. */
export async function findVisible(
  { projectReader }: Pick<TasksDeps, 'projectReader'>,
  actor: UserActor,
  projectId: string,
): Promise<Project> {
  const project = await projectReader.find(projectId, actor.userId);
  if (project === undefined) throw projectNotFound(projectId);
  const role = project.role === ProjectRole.UNSPECIFIED ? undefined : project.role;
  requireInProject(actor, { projectId, role }, 'see');
  return project;
}

export async function getProject(
  deps: Pick<TasksDeps, 'projectReader'>,
  actor: UserActor,
  projectId: string,
): Promise<GetProjectResponse> {
  return { project: await findVisible(deps, actor, projectId) };
}
