import type { UserActor } from '#libs/runtime';
import { DeleteProjectRequest, DeleteProjectResponse, ProjectEventType } from '#contract/tasks/v1/projects';
import type { TasksDeps } from '../../deps.ts';
import { projectSnapshot } from '../../domain/project.events.ts';
import { changeBy, lockProject, requireProjectEtag } from './change.ts';

const change = changeBy('DeleteProject', DeleteProjectRequest, DeleteProjectResponse);

/** Hides the project from everybody. Its rows stay until the purge time, so that it can be undeleted. */
export async function deleteProject(
  deps: Pick<TasksDeps, 'uow' | 'clock' | 'retentionMs'>,
  actor: UserActor,
  request: DeleteProjectRequest,
): Promise<DeleteProjectResponse> {
  const now = deps.clock.now();
  return change(deps, actor, request, async ({ projects }) => {
    const { project } = await lockProject(projects, actor, request.projectId, 'manage');
    requireProjectEtag(project, request.etag);
    const before = projectSnapshot(project);
    project.delete(now, new Date(now.getTime() + deps.retentionMs));
    return projects.write([{ type: ProjectEventType.DELETED, project, before, actorId: actor.userId }], {});
  });
}
