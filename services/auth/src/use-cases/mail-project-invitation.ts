import type { MailProjectInvitationResponse } from '#contract/auth/v1/auth';
import { crashPoint } from '#libs/runtime';
import type { AuthDeps, Repositories } from '../deps.ts';
import { newTokenMail } from '../domain/mail.columns.ts';
import { ProjectInvitee } from '../domain/project-invitee.entity.ts';

type Needs = Pick<AuthDeps, 'uow' | 'oneTimeTokens' | 'clock' | 'settings'>;

export interface InvitationMailInput {
  invitationId: string;
  mailId: string;
  projectId: string;
  inviterId: string;
  /** '' = as it was before. */
  email: string;
  expireTime: Date;
}

const hourMs = 3_600_000;

/**
 * Makes one mail of an invitation to a project. Nothing is asked of accounts, so whoever has one is mailed like everybody
 * else. A repeat makes no second mail.
 */
export async function mailProjectInvitation(
  deps: Needs,
  input: InvitationMailInput,
): Promise<MailProjectInvitationResponse> {
  const { uow, clock, settings } = deps;
  const { sendsMail, mailsPerHour } = settings.recovery;
  const { mailId, expireTime } = input;
  const makeInvitee = newInvitee(deps, input);
  await uow.run(async ({ projectInvitees, mails }) => {
    if (await mails.has(mailId)) return;
    const now = clock.now();
    const invitee = await findOrAdd(projectInvitees, input, makeInvitee(now));
    // It was accepted, or has gone with the account of the e-mail.
    if (invitee === undefined || invitee.acceptTime !== null) return;
    invitee.renew(expireTime);
    const mail = newTokenMail(
      { id: mailId, accountId: null, kind: 'project_invitation' },
      { id: invitee.id, email: invitee.email, createTime: now, expireTime: invitee.expireTime },
    );
    if (!sendsMail || (await mails.countSince(new Date(now.getTime() - hourMs), mail)) >= mailsPerHour) return;
    invitee.mailTime = now;
    mails.send(mail);
    crashPoint('mail-invitation.before-commit');
  });
  crashPoint('mail-invitation.after-commit');
  return {};
}

function newInvitee({ oneTimeTokens }: Needs, input: InvitationMailInput) {
  const { invitationId: id, projectId, inviterId, email, expireTime } = input;
  const tokenHash = oneTimeTokens.hashOf(oneTimeTokens.create('projectInvitation', id));
  return (now: Date): ProjectInvitee | undefined =>
    email === '' ? undefined : ProjectInvitee.create({ id, projectId, inviterId, email, tokenHash, expireTime }, now);
}

async function findOrAdd(
  projectInvitees: Repositories['projectInvitees'],
  { invitationId }: InvitationMailInput,
  added: ProjectInvitee | undefined,
): Promise<ProjectInvitee | undefined> {
  const found = await projectInvitees.lock(invitationId);
  if (found !== undefined || added === undefined) return found;
  projectInvitees.add(added);
  return added;
}
