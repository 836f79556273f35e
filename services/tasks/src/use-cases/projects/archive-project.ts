import type { UserActor } from '#libs/runtime';
import {
  ArchiveProjectRequest,
  ArchiveProjectResponse,
  ProjectEventType,
  UnarchiveProjectRequest,
  UnarchiveProjectResponse,
} from '#contract/tasks/v1/projects';
import type { TasksDeps } from '../../deps.ts';
import { changeBy } from './change.ts';
import { writeProject } from './write-project.ts';

type Deps = Pick<TasksDeps, 'uow' | 'clock'>;

const archive = changeBy('ArchiveProject', ArchiveProjectRequest, ArchiveProjectResponse);

export async function archiveProject(
  deps: Deps,
  actor: UserActor,
  request: ArchiveProjectRequest,
): Promise<ArchiveProjectResponse> {
  const now = deps.clock.now();
  return archive(deps, actor, request, ({ projects }) =>
    writeProject(projects, actor, request, (project) => {
      if (project.archiveTime !== null) return undefined;
      project.archive(now);
      return ProjectEventType.ARCHIVED;
    }),
  );
}

const unarchive = changeBy('UnarchiveProject', UnarchiveProjectRequest, UnarchiveProjectResponse);

export async function unarchiveProject(
  deps: Deps,
  actor: UserActor,
  request: UnarchiveProjectRequest,
): Promise<UnarchiveProjectResponse> {
  const now = deps.clock.now();
  return unarchive(deps, actor, request, ({ projects }) =>
    writeProject(projects, actor, request, (project) => {
      if (project.archiveTime === null) return undefined;
      project.unarchive(now);
      return ProjectEventType.UNARCHIVED;
    }),
  );
}
