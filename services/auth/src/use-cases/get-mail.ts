import { MailKind as MailKindMessage, type GetMailResponse } from '#contract/auth/v1/auth';
import { crashPoint } from '#libs/runtime';
import type { AuthDeps, OneTimeTokenKind } from '../deps.ts';
import { mailNotFound } from '../domain/auth.errors.ts';
import type { MailKind, MailValues } from '../domain/mail.columns.ts';
import { tokenKindOf } from './make-account-token.ts';

type Needs = Pick<AuthDeps, 'reader' | 'oneTimeTokens' | 'clock'>;

const kindMessages: Record<MailKind, MailKindMessage> = {
  password_reset: MailKindMessage.PASSWORD_RESET,
  email_verification: MailKindMessage.EMAIL_VERIFICATION,
  invitation: MailKindMessage.INVITATION,
  password_changed: MailKindMessage.PASSWORD_CHANGED,
  account_recovered: MailKindMessage.ACCOUNT_RECOVERED,
  email_change_requested: MailKindMessage.EMAIL_CHANGE_REQUESTED,
  email_changed: MailKindMessage.EMAIL_CHANGED,
  account_deleted: MailKindMessage.ACCOUNT_DELETED,
  account_created: MailKindMessage.ACCOUNT_CREATED,
  project_invitation: MailKindMessage.PROJECT_INVITATION,
};

/**
 * What a mail says. Its token is derived now, so that it is stored nowhere. Throws MAIL_NOT_FOUND when the mail would
 * bring a token that does nothing any more.
 */
export async function getMail(deps: Needs, { mailId }: { mailId: string }): Promise<GetMailResponse> {
  const mail = await deps.reader.findMail(mailId);
  if (mail === undefined || mail.expireTime <= deps.clock.now()) throw mailNotFound(mailId);
  const { kind, accountId, email: recipientEmail, subjectId, newEmail } = mail;
  const projectInvitationId = kind === 'project_invitation' ? (subjectId ?? '') : '';
  const empty = { displayName: '', token: '', newEmail: newEmail ?? '', inviterName: '', projectInvitationId };
  const base = { ...empty, kind: kindMessages[kind], accountId: accountId ?? '', recipientEmail };
  crashPoint(`mail.before-answer.${kind}`);
  if (kind === 'account_deleted')
    return { ...base, eventTime: mail.createTime, purgeTime: await findPurgeTime(deps, mail) };
  if (subjectId === null) return { ...base, eventTime: mail.createTime };
  const token = await findToken(deps, mail, subjectId);
  if (token === undefined) throw mailNotFound(mailId);
  return { ...base, token, expireTime: mail.expireTime };
}

/** Throws MAIL_NOT_FOUND when the account is back. */
async function findPurgeTime({ reader }: Needs, { id, accountId }: MailValues): Promise<Date> {
  const account = accountId === null ? undefined : await reader.findAccount(accountId);
  if (account?.purgeTime == null) throw mailNotFound(id);
  return account.purgeTime;
}

interface Subject {
  kind: OneTimeTokenKind;
  id: string;
  tokenHash: string;
}

async function findToken(deps: Needs, mail: MailValues, subjectId: string): Promise<string | undefined> {
  const subject = await findSubject(deps, mail, subjectId);
  return subject && deps.oneTimeTokens.recover(subject.kind, subject.id, subject.tokenHash);
}

function findSubject(deps: Needs, { kind, accountId }: MailValues, id: string): Promise<Subject | undefined> {
  if (kind === 'project_invitation') return findProjectInvitee(deps, id);
  return accountId === null ? findInvitation(deps, id) : findAccountToken(deps, accountId, id);
}

async function findProjectInvitee({ reader }: Needs, id: string): Promise<Subject | undefined> {
  const [invitee] = await reader.listProjectInvitees([id]);
  if (invitee === undefined || invitee.acceptTime !== null) return undefined;
  return { kind: 'projectInvitation', id, tokenHash: invitee.tokenHash };
}

async function findInvitation({ reader }: Needs, id: string): Promise<Subject | undefined> {
  const invitation = await reader.findInvitation(id);
  if (invitation === undefined || invitation.acceptTime !== null || invitation.revokeTime !== null) return undefined;
  const { mailTokenHash } = invitation;
  return mailTokenHash === null ? undefined : { kind: 'mailedInvitation', id, tokenHash: mailTokenHash };
}

async function findAccountToken({ reader }: Needs, accountId: string, id: string): Promise<Subject | undefined> {
  const account = await reader.findAccount(accountId);
  const found = account?.enabled === true ? await reader.findAccountTokenById(id) : undefined;
  return found && { kind: tokenKindOf(found.kind), id, tokenHash: found.tokenHash };
}
