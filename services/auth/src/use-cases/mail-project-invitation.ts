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
  const { uow, clock, oneTimeTokens, settings } = deps;
  const { sendsMail, mailsPerHour } = settings.recovery;
  const { invitationId, mailId, expireTime } = input;
  const tokenHash = oneTimeTokens.hashOf(oneTimeTokens.create('projectInvitation', invitationId));
  await uow.run(async ({ projectInvitees, mails }) => {
    if (await mails.has(mailId)) return;
    const now = clock.now();
    const invitee = await findOrAdd(projectInvitees, { ...input, tokenHash }, now);
    // It was accepted, or has gone with the account of the e-mail.
    if (invitee === undefined || invitee.acceptTime !== null) return;
    await mails.takeTurns(invitee.email);
    invitee.renew(expireTime);
    const isLost = oneTimeTokens.recover('projectInvitation', invitationId, invitee.tokenHash) === undefined;
    if (isLost) invitee.replaceToken(tokenHash);
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

async function findOrAdd(
  projectInvitees: Repositories['projectInvitees'],
  { invitationId: id, projectId, inviterId, email, tokenHash, expireTime }: InvitationMailInput & { tokenHash: string },
  now: Date,
): Promise<ProjectInvitee | undefined> {
  const found = await projectInvitees.lock(id);
  if (found !== undefined || email === '') return found;
  const added = ProjectInvitee.create({ id, projectId, inviterId, email, tokenHash, expireTime }, now);
  projectInvitees.add(added);
  return added;
}
