import type { UserActor } from '#libs/runtime';
import {
  LeaveProjectRequest,
  LeaveProjectResponse,
  ProjectEventType,
  RemoveMemberRequest,
  RemoveMemberResponse,
} from '#contract/tasks/v1/projects';
import type { Repositories, TasksDeps } from '../../deps.ts';
import type { Member, Project } from '../../domain/project.entity.ts';
import { lastManager, memberNotFound } from '../../domain/project.errors.ts';
import { memberSnapshot, type ProjectWrite } from '../../domain/project.events.ts';
import { changeBy, lockProject, requireMember } from './change.ts';

type Projects = Repositories['projects'];

/** Throws LAST_MANAGER when nobody else manages the project. All changes of members take turns at the project's lock. */
export async function requireOtherManager(projects: Projects, member: Member): Promise<void> {
  if (member.isManager() && (await projects.countManagers(member.projectId)) === 1) throw lastManager(member.projectId);
}

/** Takes the member out of the project. */
export function goneMember(project: Project, member: Member, actorId: string): ProjectWrite {
  project.memberCount -= 1;
  const memberBefore = memberSnapshot(member);
  return { type: ProjectEventType.MEMBER_REMOVED, project, memberBefore, member, actorId };
}

interface Leaving {
  actorId: string;
  /** The member who removes another one. */
  removedBy: string | null;
  now: Date;
}

/** Access ends at once. What the member owns or is assigned to in the project is handed over behind it, in batches. */
function departed(project: Project, member: Member, { actorId, removedBy, now }: Leaving): ProjectWrite {
  const { projectId, userId } = member;
  return { ...goneMember(project, member, actorId), departure: { projectId, userId, removedBy, createTime: now } };
}

type Deps = Pick<TasksDeps, 'uow' | 'clock'>;

const remove = changeBy('RemoveMember', RemoveMemberRequest, RemoveMemberResponse);

/** An archived project too: access can end at any time. */
export async function removeMember(
  deps: Deps,
  actor: UserActor,
  request: RemoveMemberRequest,
): Promise<RemoveMemberResponse> {
  const now = deps.clock.now();
  return remove(deps, actor, request, async ({ projects }) => {
    const { project, self } = await lockProject(projects, actor, request.projectId, 'manage');
    const member = await requireMember(projects, request);
    await requireOtherManager(projects, member);
    const removedBy = self === undefined || self.userId === member.userId ? null : self.userId;
    return projects.write([departed(project, member, { actorId: actor.userId, removedBy, now })], {});
  });
}

const leave = changeBy('LeaveProject', LeaveProjectRequest, LeaveProjectResponse);

export async function leaveProject(
  deps: Deps,
  actor: UserActor,
  request: LeaveProjectRequest,
): Promise<LeaveProjectResponse> {
  const { projectId } = request;
  const now = deps.clock.now();
  return leave(deps, actor, request, async ({ projects }) => {
    const { project, self } = await lockProject(projects, actor, projectId, 'see');
    if (self === undefined) throw memberNotFound(projectId, actor.userId);
    await requireOtherManager(projects, self);
    return projects.write([departed(project, self, { actorId: actor.userId, removedBy: null, now })], {});
  });
}
