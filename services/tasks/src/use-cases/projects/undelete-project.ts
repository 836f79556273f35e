import type { UserActor } from '#libs/runtime';
import { ProjectEventType, UndeleteProjectRequest, UndeleteProjectResponse } from '#contract/tasks/v1/projects';
import type { Repositories, TasksDeps } from '../../deps.ts';
import { mayInProject } from '../../domain/project-access.ts';
import { maxProjects, projectNotFound, tooManyProjects } from '../../domain/project.errors.ts';
import { changeBy, lockProject, requireProjectEtag, type Locked } from './change.ts';
import { answerOf } from './write-project.ts';

const change = changeBy('UndeleteProject', UndeleteProjectRequest, UndeleteProjectResponse);

export async function undeleteProject(
  deps: Pick<TasksDeps, 'uow' | 'clock'>,
  actor: UserActor,
  request: UndeleteProjectRequest,
): Promise<UndeleteProjectResponse> {
  const now = deps.clock.now();
  return change(deps, actor, request, async ({ projects }) => {
    const locked = await lockDeleted(projects, actor, request.projectId, now);
    const { project } = locked;
    requireProjectEtag(project, request.etag);
    if (project.deleteTime === null) return answerOf(locked);
    // Somebody may join another project at the same moment, and have one more than the limit then.
    if ((await projects.countMostProjects(project.id)) >= maxProjects) throw tooManyProjects(`projects/${project.id}`);
    project.undelete(now);
    const answer = answerOf(locked);
    return projects.write([{ type: ProjectEventType.UNDELETED, project, actorId: actor.userId }], answer);
  });
}

/** A deleted project is there for its managers only, and until its purge time. */
async function lockDeleted(
  projects: Repositories['projects'],
  actor: UserActor,
  projectId: string,
  now: Date,
): Promise<Locked> {
  const project = await projects.lock(projectId);
  if (project === undefined) throw projectNotFound(projectId);
  if (project.deleteTime === null) return lockProject(projects, actor, projectId, 'manage');
  const self = await projects.findMember(projectId, actor.userId);
  const isThere = project.purgeTime !== null && project.purgeTime > now;
  if (!isThere || !mayInProject(actor, self?.role, 'manage')) throw projectNotFound(projectId);
  return { project, self };
}
