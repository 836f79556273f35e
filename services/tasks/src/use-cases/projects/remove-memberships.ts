import { ProjectEventType, ProjectRole } from '#contract/tasks/v1/projects';
import type { Repositories } from '../../deps.ts';
import { Member, type Project } from '../../domain/project.entity.ts';
import { memberSnapshot, type ProjectWrite } from '../../domain/project.events.ts';
import { remover } from '../../domain/user-removal.ts';
import { goneMember } from './remove-member.ts';

interface Removal {
  userId: string;
  /** '' = nobody. */
  successorId: string;
}

const eventLimit = 1000;

/** Ends one membership of a user whose account is being removed. Returns false when there is none. */
export async function removeMembership(
  repositories: Repositories,
  { userId, successorId }: Removal,
  now: Date,
): Promise<boolean> {
  const { projects } = repositories;
  const projectId = await projects.findOneOf(userId);
  if (projectId === undefined) return false;
  const project = await projects.lock(projectId);
  const member = await projects.findMember(projectId, userId);
  if (project === undefined || member === undefined) return true;
  const heir = await projects.findHeir(projectId, userId);
  if (heir === undefined && successorId === '') await removeProject(repositories, project, userId);
  else
    await projects.write(
      [...(await inherit(projects, project, { member, heir, successorId, now })), goneMember(project, member, remover)],
      {},
    );
  return true;
}

interface Inheritance {
  member: Member;
  /** Who has the highest role of the others. */
  heir: Member | undefined;
  successorId: string;
  now: Date;
}

/** Gives the project a manager when its last one goes. With nobody left in it, it passes to the successor as tasks do. */
async function inherit(
  projects: Repositories['projects'],
  project: Project,
  { member, heir, successorId, now }: Inheritance,
): Promise<ProjectWrite[]> {
  if (heir === undefined) {
    const added = Member.create({ projectId: project.id, userId: successorId, role: ProjectRole.MANAGER }, now);
    project.memberCount += 1;
    return [{ type: ProjectEventType.MEMBER_ADDED, project, member: added, actorId: remover }];
  }
  if (!member.isManager() || (await projects.countManagers(project.id)) > 1) return [];
  const memberBefore = memberSnapshot(heir);
  heir.changeRole(ProjectRole.MANAGER, now);
  return [{ type: ProjectEventType.MEMBER_UPDATED, project, memberBefore, member: heir, actorId: remover }];
}

/**
 * Nobody but the user has ever seen what the events of the project tell, or those who did have left since and were told
 * that. So the contents are erased, batch by batch, and the rows are removed behind the last one.
 */
async function removeProject({ projects, userTasks }: Repositories, { id }: Project, userId: string): Promise<void> {
  const events = await userTasks.eraseEvents([id], eventLimit);
  const actors = new Set(events.map(({ actor }) => actor));
  await projects.removeAnswers(id, [...actors, userId]);
  if (events.length < eventLimit) await projects.remove(id);
}
