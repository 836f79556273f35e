import type { UserActor } from '#libs/runtime';
import {
  CreateProjectRequest,
  CreateProjectResponse,
  ProjectEventType,
  ProjectRole,
} from '#contract/tasks/v1/projects';
import type { TasksDeps } from '../../deps.ts';
import { toProjectMessage, type ProjectDraft } from '../../domain/project.columns.ts';
import { Member, Project } from '../../domain/project.entity.ts';
import { maxProjects, tooManyProjects } from '../../domain/project.errors.ts';
import { changeBy } from './change.ts';

const change = changeBy('CreateProject', CreateProjectRequest, CreateProjectResponse);

export interface CreateProjectInput {
  fields: ProjectDraft;
  /** The request without fields that are ignored. */
  request: CreateProjectRequest;
}

export async function createProject(
  deps: Pick<TasksDeps, 'uow' | 'clock' | 'newId'>,
  actor: UserActor,
  { fields, request }: CreateProjectInput,
): Promise<CreateProjectResponse> {
  const { userId } = actor;
  const [id, now, role] = [deps.newId(), deps.clock.now(), ProjectRole.MANAGER];
  return change(deps, actor, request, async ({ projects }) => {
    if ((await projects.countProjects(userId)) >= maxProjects) throw tooManyProjects(`users/${userId}`);
    const project = Project.create(fields, { id, now });
    const member = Member.create({ projectId: id, userId, role }, now);
    return projects.write([{ type: ProjectEventType.CREATED, project, member, actorId: userId }], {
      project: toProjectMessage(project, { role }),
    });
  });
}
