import type { UserActor } from '#libs/runtime';
import { ProjectEventType, UpdateProjectRequest, UpdateProjectResponse } from '#contract/tasks/v1/projects';
import type { TasksDeps } from '../../deps.ts';
import type { ProjectEdit } from '../../domain/project.columns.ts';
import { changeBy } from './change.ts';
import { writeProject } from './write-project.ts';

const change = changeBy('UpdateProject', UpdateProjectRequest, UpdateProjectResponse);

export interface UpdateProjectInput {
  projectId: string;
  /** '' = any version. */
  etag: string;
  fields: ProjectEdit;
  /** The request without fields that are ignored. */
  request: UpdateProjectRequest;
}

export async function updateProject(
  deps: Pick<TasksDeps, 'uow' | 'clock'>,
  actor: UserActor,
  { fields, request, ...which }: UpdateProjectInput,
): Promise<UpdateProjectResponse> {
  const now = deps.clock.now();
  return change(deps, actor, request, ({ projects }) =>
    writeProject(projects, actor, which, (project) => {
      project.edit(fields, now);
      return ProjectEventType.UPDATED;
    }),
  );
}
