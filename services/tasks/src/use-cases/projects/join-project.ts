import { crashPoint } from '#libs/runtime';
import {
  JoinOutcome,
  ProjectEventType,
  ProjectInvitationState,
  type GetProjectInvitationResponse,
  type JoinProjectResponse,
} from '#contract/tasks/v1/projects';
import type { Repositories, TasksDeps } from '../../deps.ts';
import type { Invitation, InvitationEnd } from '../../domain/invitation.entity.ts';
import { invitationNotFound } from '../../domain/invitation.errors.ts';
import { Member, type Project } from '../../domain/project.entity.ts';
import { findObstacle, type Obstacle } from './find-obstacle.ts';

/** What the mail of an invitation says, while somebody could join by it. */
export async function getInvitation(
  { invitationReader, clock }: Pick<TasksDeps, 'invitationReader' | 'clock'>,
  invitationId: string,
): Promise<GetProjectInvitationResponse> {
  const found = await invitationReader.findJoinable(invitationId, clock.now());
  if (found === undefined) throw invitationNotFound(invitationId);
  return found;
}

interface Joining {
  invitationId: string;
  /** Has the e-mail that was invited, as auth knows. */
  userId: string;
}

/**
 * Makes whoever has accepted an invitation a member. Auth has judged token, e-mail and expiry when it was accepted, which
 * may be a while ago; the rest is judged now, behind the lock on the project. The first answer is recorded by the state.
 */
export async function joinProject(
  { uow, clock }: Pick<TasksDeps, 'uow' | 'clock'>,
  joining: Joining,
): Promise<JoinProjectResponse> {
  const now = clock.now();
  const outcome = await uow.run(async (repositories) => {
    const result = await join(repositories, joining, now);
    crashPoint('join.before-commit');
    return result;
  });
  crashPoint('join.after-commit');
  return { outcome };
}

async function join(repositories: Repositories, joining: Joining, now: Date): Promise<JoinOutcome> {
  const { projects, invitations } = repositories;
  const { invitationId, userId } = joining;
  const found = await invitations.find(invitationId);
  const project = found && (await projects.lock(found.projectId));
  // Again: it may have changed while this waited for the lock.
  const invitation = project && (await invitations.find(invitationId));
  if (project === undefined || invitation === undefined) return JoinOutcome.PROJECT_DELETED;
  if (!invitation.isOpen()) return outcomeOf(invitation, userId);
  const obstacle = await findObstacleTo(repositories, { project, invitation, userId });
  if (obstacle !== undefined && obstacle !== 'member') {
    invitation.end(ends[obstacle], now);
    await invitations.save(invitation);
    return outcomeOf(invitation, userId);
  }
  invitation.accept(userId, now);
  await invitations.save(invitation);
  if (obstacle === 'member') return JoinOutcome.JOINED;
  const member = Member.create({ projectId: project.id, userId, role: invitation.role }, now);
  project.memberCount += 1;
  const write = { type: ProjectEventType.MEMBER_ADDED, project, member, actorId: userId };
  return projects.write([write], JoinOutcome.JOINED);
}

type End = Exclude<Obstacle, 'member'> | 'deleted' | 'archived' | 'inviterGone';

const ends: Readonly<Record<End, InvitationEnd>> = {
  deleted: ProjectInvitationState.PROJECT_DELETED,
  archived: ProjectInvitationState.PROJECT_ARCHIVED,
  inviterGone: ProjectInvitationState.INVITER_GONE,
  full: ProjectInvitationState.PROJECT_FULL,
  tooManyProjects: ProjectInvitationState.TOO_MANY_PROJECTS,
};

async function findObstacleTo(
  { projects }: Repositories,
  { project, invitation, userId }: { project: Project; invitation: Invitation; userId: string },
): Promise<End | 'member' | undefined> {
  if (project.deleteTime !== null) return 'deleted';
  if (project.archiveTime !== null) return 'archived';
  const inviter = await projects.findMember(project.id, invitation.inviterId);
  if (!invitation.byAdministrator && inviter?.isManager() !== true) return 'inviterGone';
  return findObstacle(projects, project, userId);
}

const outcomes: Partial<Record<ProjectInvitationState, JoinOutcome>> = {
  [ProjectInvitationState.CANCELLED]: JoinOutcome.CANCELLED,
  [ProjectInvitationState.INVITER_GONE]: JoinOutcome.INVITER_GONE,
  [ProjectInvitationState.PROJECT_DELETED]: JoinOutcome.PROJECT_DELETED,
  [ProjectInvitationState.PROJECT_ARCHIVED]: JoinOutcome.PROJECT_ARCHIVED,
  [ProjectInvitationState.PROJECT_FULL]: JoinOutcome.PROJECT_FULL,
  [ProjectInvitationState.TOO_MANY_PROJECTS]: JoinOutcome.TOO_MANY_PROJECTS,
};

function outcomeOf({ state, accepterId }: Invitation, userId: string): JoinOutcome {
  if (state === ProjectInvitationState.ACCEPTED) return accepterId === userId ? JoinOutcome.JOINED : JoinOutcome.USED;
  return outcomes[state] ?? JoinOutcome.CANCELLED;
}
