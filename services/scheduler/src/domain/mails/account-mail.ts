import { MailKind, type GetMailResponse } from '#contract/auth/v1/auth';
import type { Passage, Phrases } from './locales/phrases.ts';
import { layOutMail } from './mail-layout.ts';
import { tokenUrl, type MailLinks } from './mail-links.ts';
import type { Wording } from './wording.ts';
import type { OutgoingMail } from './mail-sender.ts';
import { userText } from './user-text.ts';

/** A mail of auth, and for whom it is written. */
export interface AccountMail {
  mailId: string;
  mail: GetMailResponse;
  /** The name in the recipient's profile; empty when there is none. */
  profileName: string;
  wording: Wording;
  /** Of an invitation to a project: what the project is called, and who invites; empty when the name is not known. */
  invitation?: { projectName: string; inviterName: string };
}

const tokenPages = {
  [MailKind.PASSWORD_RESET]: 'reset-password',
  [MailKind.EMAIL_VERIFICATION]: 'verify-email',
  [MailKind.INVITATION]: 'invitation',
  [MailKind.PROJECT_INVITATION]: 'project-invitation',
  [MailKind.ACCOUNT_CREATED]: 'reset-password',
} as const;

const isTokenKind = (kind: MailKind): kind is keyof typeof tokenPages => Object.hasOwn(tokenPages, kind);

function passageOf({ mail, wording, invitation }: AccountMail): Passage | undefined {
  const { phrases, formatTime } = wording;
  const time = (at: Date | undefined): string => (at === undefined ? '' : formatTime(at));
  const inviter = userText(invitation?.inviterName ?? mail.inviterName) || undefined;
  const project = userText(invitation?.projectName ?? '');
  const token = { expireTime: time(mail.expireTime), inviter, project };
  const notice = { time: time(mail.eventTime), newEmail: userText(mail.newEmail), purgeTime: time(mail.purgeTime) };
  const passages: Partial<Record<MailKind, (phrases: Phrases) => Passage>> = {
    [MailKind.PASSWORD_RESET]: (say) => say.passwordReset(token),
    [MailKind.EMAIL_VERIFICATION]: (say) => say.emailVerification(token),
    [MailKind.INVITATION]: (say) => say.invitation(token),
    [MailKind.PROJECT_INVITATION]: (say) => say.projectInvitation(token),
    [MailKind.PASSWORD_CHANGED]: (say) => say.passwordChanged(notice),
    [MailKind.ACCOUNT_RECOVERED]: (say) => say.accountRecovered(notice),
    [MailKind.EMAIL_CHANGE_REQUESTED]: (say) => say.emailChangeRequested(notice),
    [MailKind.EMAIL_CHANGED]: (say) => say.emailChanged(notice),
    [MailKind.ACCOUNT_DELETED]: (say) => say.accountDeleted(notice),
    [MailKind.ACCOUNT_CREATED]: (say) => say.accountCreated(token),
  };
  return passages[mail.kind]?.(phrases);
}

/** Undefined for a kind that a later release has added. */
export function writeAccountMail(source: AccountMail, links: MailLinks): OutgoingMail | undefined {
  const { mailId, mail, profileName, wording } = source;
  const passage = passageOf(source);
  if (passage === undefined) return undefined;
  const name = userText(mail.displayName || profileName);
  const linkUrl = isTokenKind(mail.kind) ? tokenUrl(links, tokenPages[mail.kind], mail.token) : undefined;
  return {
    id: mailId,
    to: { name, address: mail.recipientEmail },
    ...layOutMail({
      language: wording.language,
      greeting: wording.phrases.greeting(name === '' ? undefined : name),
      passage,
      linkUrl,
      token: mail.token === '' || linkUrl !== undefined ? undefined : wording.phrases.token(mail.token),
      footer: wording.phrases.whyAccount,
    }),
    unsubscribe: [],
  };
}
