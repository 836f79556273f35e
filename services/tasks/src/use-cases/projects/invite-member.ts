import { crashPoint, type UserActor } from '#libs/runtime';
import {
  InviteMemberRequest,
  InviteMemberResponse,
  ResendProjectInvitationRequest,
  ResendProjectInvitationResponse,
} from '#contract/tasks/v1/projects';
import type { Repositories, TasksDeps } from '../../deps.ts';
import { toInvitationMessage } from '../../domain/invitation.columns.ts';
import { Invitation } from '../../domain/invitation.entity.ts';
import { mailOff } from '../../domain/invitation.errors.ts';
import type { Project } from '../../domain/project.entity.ts';
import { maxMembers, tooManyMembers } from '../../domain/project.errors.ts';
import { requireInvitation } from './cancel-invitation.ts';
import { changeBy, lockProject } from './change.ts';

const invite = changeBy('InviteMember', InviteMemberRequest, InviteMemberResponse);

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'newId' | 'sendsMail'>;

/** It knows nothing of accounts, so its work and its answer are the same for every e-mail. */
export async function inviteMember(
  deps: Deps,
  actor: UserActor,
  request: InviteMemberRequest,
): Promise<InviteMemberResponse> {
  const { projectId, role, email } = request;
  const [id, mailId, now] = [deps.newId(), deps.newId(), deps.clock.now()];
  const answer = await invite(deps, actor, request, async ({ projects, invitations }) => {
    const { project, self } = await lockProject(projects, actor, projectId, 'manage');
    project.requireOpen();
    if (!deps.sendsMail) throw mailOff();
    await requireRoom(invitations, project, now);
    const byAdministrator = self?.isManager() !== true;
    const values = { id, projectId, inviterId: actor.userId, byAdministrator, role };
    const invitation = Invitation.create(values, now);
    await invitations.add(invitation);
    invitations.mail(mailOf(invitation, { mailId, email }));
    crashPoint('invite.before-commit');
    return { invitation: toInvitationMessage(invitation, { now }) };
  });
  crashPoint('invite.after-commit');
  return answer;
}

/** Who is invited counts as a member, so that not more mails go out than people could join. */
async function requireRoom(
  invitations: Repositories['invitations'],
  { id, memberCount }: Project,
  now: Date,
): Promise<void> {
  if (memberCount + (await invitations.countOpen(id, now)) >= maxMembers) throw tooManyMembers(id);
}

const mailOf = (
  { id: invitationId, projectId, inviterId, expireTime }: Invitation,
  mail: { mailId: string; email: string },
) => ({ invitationId, projectId, inviterId, expireTime: expireTime.toISOString(), ...mail });

const resend = changeBy('ResendProjectInvitation', ResendProjectInvitationRequest, ResendProjectInvitationResponse);

export async function resendInvitation(
  deps: Deps,
  actor: UserActor,
  request: ResendProjectInvitationRequest,
): Promise<ResendProjectInvitationResponse> {
  const [mailId, now] = [deps.newId(), deps.clock.now()];
  return resend(deps, actor, request, async ({ projects, invitations }) => {
    const { project } = await lockProject(projects, actor, request.projectId, 'manage');
    project.requireOpen();
    if (!deps.sendsMail) throw mailOff();
    const invitation = await requireInvitation(invitations, request);
    invitation.renew(now);
    await invitations.save(invitation);
    invitations.mail(mailOf(invitation, { mailId, email: '' }));
    return { invitation: toInvitationMessage(invitation, { now }) };
  });
}
