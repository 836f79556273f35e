import type { UserActor } from '#libs/runtime';
import {
  ProjectEventType,
  ProjectRole,
  SetMemberRoleRequest,
  SetMemberRoleResponse,
} from '#contract/tasks/v1/projects';
import type { TasksDeps } from '../../deps.ts';
import { toMemberAnswer } from '../../domain/member.messages.ts';
import { memberSnapshot } from '../../domain/project.events.ts';
import { changeBy, lockProject, requireMember } from './change.ts';
import { requireOtherManager } from './remove-member.ts';

const change = changeBy('SetMemberRole', SetMemberRoleRequest, SetMemberRoleResponse);

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'people'>;

export async function setMemberRole(
  deps: Deps,
  actor: UserActor,
  request: SetMemberRoleRequest,
): Promise<SetMemberRoleResponse> {
  const { projectId, userId, role } = request;
  const known = await deps.people.lookUp([userId]);
  const now = deps.clock.now();
  return change(deps, actor, request, async ({ projects }) => {
    const { project } = await lockProject(projects, actor, projectId, 'manage');
    project.requireOpen();
    const member = await requireMember(projects, request);
    if (role !== ProjectRole.MANAGER) await requireOtherManager(projects, member);
    const memberBefore = memberSnapshot(member);
    member.changeRole(role, now);
    const write = { type: ProjectEventType.MEMBER_UPDATED, project, memberBefore, member, actorId: actor.userId };
    return projects.write([write], toMemberAnswer(member, known));
  });
}
