import { NotificationChannel, type NotificationSettings } from '#contract/users/v1/users';
import { MailKind, type GetMailResponse } from '#contract/auth/v1/auth';
import { NotificationKind } from '#contract/scheduler/v1/notifications';
import type { MailDeps, SchedulerDeps } from '../../deps.ts';
import { writeAccountMail } from '../../domain/mails/account-mail.ts';
import type { MailLinks } from '../../domain/mails/mail-links.ts';
import type { OutgoingMail } from '../../domain/mails/mail-sender.ts';
import type { RunningMail } from '../../domain/mails/mail.reader.ts';
import { writeNotificationMail, type MailedNotification } from '../../domain/mails/notification-mail.ts';
import { wordingFor } from '../../domain/mails/wording.ts';
import { isStale } from '../../domain/notifications/staleness.ts';

type Deps = Pick<SchedulerDeps, 'tasks' | 'users'>;

/** A mail as it is sent now, and the account that gets it; undefined for an address without one. */
export interface WrittenMail {
  recipientId: string | undefined;
  mail: OutgoingMail;
}

/** Writes what the mail says at this moment. Undefined: it is not to be sent any more. */
export function writeMail(deps: Deps, mail: MailDeps, running: RunningMail): Promise<WrittenMail | undefined> {
  const { id, notificationId } = running;
  return notificationId === null
    ? writeForAccount(deps, mail, id)
    : writeForNotification(deps, mail, id, notificationId);
}

const inEnglish = { locale: 'en', timeZone: 'UTC' };

async function writeForAccount(
  deps: Deps,
  { accounts, links }: MailDeps,
  mailId: string,
): Promise<WrittenMail | undefined> {
  const mail = await accounts.find(mailId);
  if (mail === undefined) return undefined;
  const isInvitation = mail.kind === MailKind.PROJECT_INVITATION;
  return isInvitation ? writeInvitation(deps, links, { mailId, mail }) : writeForPerson(deps, links, { mailId, mail });
}

interface Answered {
  mailId: string;
  mail: GetMailResponse;
}

async function writeForPerson(
  { users }: Deps,
  links: MailLinks,
  { mailId, mail }: Answered,
): Promise<WrittenMail | undefined> {
  const recipientId = mail.accountId === '' ? undefined : mail.accountId;
  // The profile of a new account may not have arrived; the mail must not wait for it.
  const profile = recipientId === undefined ? undefined : (await users.settings([recipientId])).get(recipientId);
  const wording = wordingFor(profile ?? inEnglish);
  const written = writeAccountMail({ mailId, mail, profileName: profile?.displayName ?? '', wording }, links);
  return written && { recipientId, mail: written };
}

/** Who invites to which project, as they are called now. Undefined when nobody could join any more. */
async function writeInvitation(
  { tasks, users }: Deps,
  links: MailLinks,
  { mailId, mail }: Answered,
): Promise<WrittenMail | undefined> {
  const found = await tasks.findInvitation(mail.projectInvitationId);
  if (found === undefined) return undefined;
  const { inviterId, projectName } = found;
  const inviterName = (await users.settings([inviterId])).get(inviterId)?.displayName ?? '';
  const invitation = { projectName, inviterName };
  const written = writeAccountMail(
    { mailId, mail, profileName: '', wording: wordingFor(inEnglish), invitation },
    links,
  );
  return written && { recipientId: undefined, mail: written };
}

/** Whether the recipient still wants mails, and may get them. */
const takesMails = ({ enabled, emailVerified, channels }: NotificationSettings): boolean =>
  enabled && emailVerified && channels.includes(NotificationChannel.EMAIL);

async function writeForNotification(
  deps: Deps,
  { read, links }: MailDeps,
  mailId: string,
  notificationId: string,
): Promise<WrittenMail | undefined> {
  const found = await read.notification(notificationId);
  if (found === undefined || saysNothing(found.notification)) return undefined;
  const { notification, members } = found;
  const { recipientId, actor } = notification;
  const [people, isOver] = await Promise.all([
    deps.users.settings([recipientId, ...actorIds(actor)]),
    isOverdueNoMore(deps, notification),
  ]);
  const recipient = people.get(recipientId);
  if (recipient === undefined || !takesMails(recipient) || isOver) return undefined;
  const mail = writeNotificationMail(
    {
      mailId,
      notification,
      members,
      actorName: people.get(actor)?.displayName ?? '',
      to: { name: recipient.displayName, address: recipient.email },
      wording: wordingFor(recipient),
    },
    links,
  );
  return mail && { recipientId, mail };
}

/** The title was erased: the task was removed with its owner's account. */
const saysNothing = ({ taskId, taskTitle, digestTaskCount }: MailedNotification): boolean =>
  taskId !== null && taskTitle === '' && digestTaskCount === 0;

/** An actor is a user's id, or the name of a service. */
const actorIds = (actor: string): string[] => (/^[0-9a-f-]{36}$/.test(actor) ? [actor] : []);

/** A mail may come late: the task may have been done since. A change of a task stays true. */
async function isOverdueNoMore({ tasks }: Deps, notification: MailedNotification): Promise<boolean> {
  const { kind, taskId, digestTaskCount } = notification;
  if (kind !== NotificationKind.OVERDUE || digestTaskCount > 0 || taskId === null) return false;
  return isStale(notification, (await tasks.states([taskId])).get(taskId));
}
