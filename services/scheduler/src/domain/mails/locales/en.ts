import type { Phrases } from './phrases.ts';

const ignoreIt = 'If you did not ask for this, ignore this mail: nothing changes.';
/** The person may have forgotten them, or somebody else may have made them. */
const tokensStay = 'Personal tokens stay valid until you revoke them.';
const notYou = 'If this was not you, set a new password at once, or ask your administrator for help.';

const wasDue = (dueTime: string | undefined): string => (dueTime === undefined ? '' : ` was due on ${dueTime}`);

export const english: Phrases = {
  greeting: (name) => (name === undefined ? 'Hello,' : `Hello ${name},`),
  token: (token) => `Your one-time code is: ${token}`,
  statuses: {
    pending: 'pending',
    inProgress: 'in progress',
    completed: 'completed',
    cancelled: 'cancelled',
    unknown: 'another status',
  },

  passwordReset: ({ expireTime }) => ({
    subject: 'Set a new password',
    body: ['Somebody asked for a new password for your TaskFlow account.'],
    link: 'Set a new password',
    ending: [`This works once, until ${expireTime}.`, ignoreIt],
  }),
  emailVerification: ({ expireTime }) => ({
    subject: 'Confirm your e-mail address',
    body: ['Please confirm that this is your e-mail address for TaskFlow.'],
    link: 'Confirm the address',
    ending: [`This works once, until ${expireTime}.`, ignoreIt],
  }),
  invitation: ({ expireTime, inviter }) => ({
    subject: 'You are invited to TaskFlow',
    body: [`${inviter ?? 'An administrator'} invites you to TaskFlow. Register with this e-mail address.`],
    link: 'Register',
    ending: [`The invitation is open until ${expireTime}.`],
  }),
  projectInvitation: ({ expireTime, inviter, project }) => ({
    subject: 'You are invited to a project in TaskFlow',
    body: [
      `${inviter ?? 'Somebody'} invites you to the project “${project}” in TaskFlow.`,
      'To join it, sign in or register with this e-mail address.',
    ],
    link: 'Join the project',
    ending: [`This works once, until ${expireTime}.`, 'If you do not know who invites you, ignore this mail.'],
  }),
  accountCreated: ({ expireTime }) => ({
    subject: 'Your TaskFlow account is ready',
    body: ['An administrator has created a TaskFlow account for this e-mail address. Set a password to sign in with.'],
    link: 'Set a password',
    ending: [`This works once, until ${expireTime}. After that, say that you forgot the password to get another mail.`],
  }),
  passwordChanged: ({ time }) => ({
    subject: 'Your password was changed',
    body: [`The password of your TaskFlow account was changed on ${time}. ${tokensStay}`, notYou],
  }),
  accountRecovered: ({ time }) => ({
    subject: 'Your password was reset',
    body: [
      `A new password was set for your TaskFlow account by a one-time code on ${time}. All sessions have ended. ${tokensStay}`,
      notYou,
    ],
  }),
  emailChangeRequested: ({ time, newEmail }) => ({
    subject: 'Your e-mail address is about to change',
    body: [
      `On ${time} somebody who knows your password asked to use ${newEmail} for your TaskFlow account.`,
      'It takes the place of this address as soon as it is confirmed.',
      notYou,
    ],
  }),
  emailChanged: ({ time, newEmail }) => ({
    subject: 'Your e-mail address was changed',
    body: [
      `Since ${time} your TaskFlow account has the address ${newEmail}. This address gets no more mails about it.`,
      notYou,
    ],
  }),

  accountDeleted: ({ time, purgeTime }) => ({
    subject: 'Your account was deleted',
    body: [
      `Your TaskFlow account was deleted on ${time}. Everything in it is removed for good on ${purgeTime}.`,
      'Until then you can take the account back with your e-mail address and your password. If an administrator has deleted it, ask them.',
    ],
  }),

  overdue: ({ title, dueTime }) => ({
    subject: `Overdue: ${title}`,
    body: [`“${title}”${wasDue(dueTime) || ' is overdue'}.`],
    link: 'Show the task',
  }),
  statusChanged: ({ title, actor, status, previousStatus }) => ({
    subject: `Now ${status}: ${title}`,
    body: [`${actor ?? 'Somebody'} changed “${title}” from ${previousStatus} to ${status}.`],
    link: 'Show the task',
  }),
  assigned: ({ title, actor }) => ({
    subject: `Assigned to you: ${title}`,
    body: [`${actor ?? 'Somebody'} assigned “${title}” to you.`],
    link: 'Show the task',
  }),
  commented: ({ title, actor }) => ({
    subject: `New comment: ${title}`,
    body: [`${actor ?? 'Somebody'} wrote a comment about “${title}”.`],
    link: 'Show the task',
  }),
  mentioned: ({ title, actor }) => ({
    subject: `You are mentioned: ${title}`,
    body: [`${actor ?? 'Somebody'} mentioned you in a comment about “${title}”.`],
    link: 'Show the task',
  }),
  overdueDigest: ({ count, tasks }) => ({
    subject: `${count} tasks are overdue`,
    body: [`${count} of your tasks are overdue:`],
    list: [
      ...tasks.map(({ title, dueTime }) => `“${title}”${wasDue(dueTime)}`),
      ...(count > tasks.length ? [`and ${count - tasks.length} more`] : []),
    ],
    link: 'Show your notifications',
  }),
  webhookDisabled: () => ({
    subject: 'One of your webhooks was switched off',
    body: [
      'A webhook of yours has failed for so long that TaskFlow sends it nothing more.',
      'Once its endpoint works again, enable the webhook.',
    ],
    link: 'Show your notifications',
  }),

  whyNotification: 'You get this mail because e-mail is one of your notification channels in TaskFlow.',
  whyAccount: 'This mail is about your TaskFlow account. Nobody reads answers to it.',
};
