import type { UserActor } from '#libs/runtime';
import {
  StartWatchingProjectRequest,
  StartWatchingProjectResponse,
  StopWatchingProjectRequest,
  StopWatchingProjectResponse,
} from '#contract/tasks/v1/projects';
import type { TasksDeps } from '../../deps.ts';
import { memberNotFound } from '../../domain/project.errors.ts';
import { changeBy, lockProject } from './change.ts';

const start = changeBy('StartWatchingProject', StartWatchingProjectRequest, StartWatchingProjectResponse);

/** Choosing what is so already is no error. An administrator who is no member would be told nothing. */
export async function startWatchingProject(
  deps: Pick<TasksDeps, 'uow' | 'clock'>,
  actor: UserActor,
  request: StartWatchingProjectRequest,
): Promise<StartWatchingProjectResponse> {
  const { projectId } = request;
  const { userId } = actor;
  return start(deps, actor, request, async ({ projects, watchers }) => {
    const { self } = await lockProject(projects, actor, projectId, 'see');
    if (self === undefined) throw memberNotFound(projectId, userId);
    // Not older than the membership, which another replica's clock may have dated.
    const createTime = new Date(Math.max(deps.clock.now().getTime(), self.createTime.getTime()));
    await watchers.watchProject({ projectId, userId, createTime });
    return {};
  });
}

const stop = changeBy('StopWatchingProject', StopWatchingProjectRequest, StopWatchingProjectResponse);

export async function stopWatchingProject(
  deps: Pick<TasksDeps, 'uow'>,
  actor: UserActor,
  request: StopWatchingProjectRequest,
): Promise<StopWatchingProjectResponse> {
  const { projectId } = request;
  return stop(deps, actor, request, async ({ projects, watchers }) => {
    await lockProject(projects, actor, projectId, 'see');
    await watchers.leaveProject(projectId, actor.userId);
    return {};
  });
}
