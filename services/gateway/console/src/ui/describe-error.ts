import { TaskFlowError, type ErrorReason } from '#client/index';

export interface ErrorInWords {
  title: string;
  hint?: string;
  reason?: string;
  callId?: string;
}

const unreachable = {
  title: 'TaskFlow cannot be reached',
  hint: 'Nothing was lost. It is tried again when the connection is back.',
};

/** In the words of a person, for what a person can act on. Everything else keeps the service's own words. */
const words: Partial<Record<ErrorReason, { title: string; hint?: string }>> = {
  CREDENTIALS_INVALID: { title: 'E-mail or password is wrong' },
  EMAIL_TAKEN: { title: 'There is an account with this e-mail already', hint: 'Sign in, or ask for a new password.' },
  EMAIL_UNVERIFIED: { title: 'Verify your e-mail first', hint: 'Open the link in the mail that was sent to you.' },
  REGISTRATION_CLOSED: { title: 'Registration is closed', hint: 'Ask an administrator for an invitation.' },
  INVITATION_INVALID: {
    title: 'This invitation does not admit this e-mail',
    hint: 'Use the e-mail that it was sent to. If it was used already or has expired, ask for another one.',
  },
  RESET_INVALID: { title: 'This link is no longer valid', hint: 'Ask for a new one.' },
  VERIFICATION_INVALID: { title: 'This link is no longer valid', hint: 'Ask for a new one.' },
  TOO_MANY_ATTEMPTS: { title: 'Too many attempts', hint: 'Wait a moment, then try again.' },
  MAIL_OFF: { title: 'This server sends no mails', hint: 'An administrator can give you a link.' },
  PASSWORD_WRONG: { title: 'The current password is wrong' },
  PERSON_NOT_FOUND: { title: 'Nobody with this e-mail can be found' },
  ASSIGNEE_NOT_FOUND: { title: 'Nobody with this e-mail can be found' },
  ASSIGNEE_NOT_MEMBER: {
    title: 'Only members of the project can be given its tasks',
    hint: 'A manager of the project can add somebody.',
  },
  ETAG_MISMATCH: { title: 'Somebody else changed this meanwhile' },
  NOT_OWNER: { title: 'Only the owner may do this', hint: 'As the assignee you may change the status.' },
  ROLE_REQUIRED: { title: 'Your role in the project does not allow this', hint: 'A manager can change it.' },
  PROJECT_ARCHIVED: { title: 'The project is archived', hint: 'A manager can open it again.' },
  COMMENT_DELETED: { title: 'This comment was deleted meanwhile' },
  TOO_MANY_COMMENTS: { title: 'This task has as many comments as there may be' },
  TASK_NOT_FOUND: { title: 'This task does not exist any more' },
  PROJECT_INVITATION_NOT_FOUND: { title: 'This invitation does not exist any more' },
  PROJECT_INVITATION_CLOSED: { title: 'This invitation has ended meanwhile' },
  PROJECT_INVITATION_INVALID: {
    title: 'This is no invitation, or one that is not kept any more',
    hint: 'Look whether you have copied all of the link. If so, ask for another invitation.',
  },
  PROJECT_INVITATION_EXPIRED: {
    title: 'This invitation has expired',
    hint: 'Ask whoever invited you to send it again.',
  },
  PROJECT_INVITATION_CANCELLED: {
    title: 'This invitation was cancelled',
    hint: 'If you think that it should not have been, ask whoever invited you.',
  },
  PROJECT_INVITATION_USED: {
    title: 'This invitation works once, and another account has accepted it',
    hint: 'Use that account, or ask for another invitation.',
  },
  PROJECT_INVITATION_FOR_ANOTHER: {
    title: 'This invitation was sent to another e-mail than that of your account',
    hint: 'Use the account of that e-mail, or ask whoever invited you to invite this one.',
  },
  TOO_MANY_MEMBERS: {
    title: 'The project has as many members as there may be',
    hint: 'Invitations that are open count as well.',
  },
  LAST_MANAGER: { title: 'A project needs a manager', hint: 'Make somebody else a manager first.' },
  LAST_ADMIN: { title: 'This is the last administrator' },
  RATE_LIMITED: { title: 'That was a lot at once', hint: 'Wait a moment, then try again.' },
};

/** Why somebody who has accepted an invitation has not joined, by the `cause` of PROJECT_INVITATION_ENDED. */
const endings: Readonly<Record<string, { title: string; hint?: string }>> = {
  INVITER_GONE: {
    title: 'Whoever invited you does not manage the project any more',
    hint: 'Ask somebody who does to invite you.',
  },
  PROJECT_DELETED: { title: 'The project was deleted' },
  PROJECT_ARCHIVED: {
    title: 'The project is archived, so nobody can join it',
    hint: 'Ask whoever invited you to open it again, and to invite you again.',
  },
  PROJECT_FULL: {
    title: 'The project has as many members as there may be',
    hint: 'Ask whoever invited you to make room, and to invite you again.',
  },
  TOO_MANY_PROJECTS: {
    title: 'You belong to as many projects as one person may',
    hint: 'Leave one of them, then ask to be invited again.',
  },
  ACCOUNT_DELETED: { title: 'Your account was deleted before it could join' },
};

/** "task.due_time" as a person would say it. */
export const fieldInWords = (field: string): string => (field.split('.').at(-1) ?? field).replaceAll('_', ' ');

function titleOf({ violations, message, code }: TaskFlowError): { title: string; hint?: string } {
  if (violations.length > 0) {
    const lines = violations.map(({ field, description }) => `${fieldInWords(field)}: ${description}`);
    return { title: lines[0] ?? '', ...(lines.length > 1 && { hint: lines.slice(1).join('; ') }) };
  }
  if (code === 'UNAVAILABLE') return unreachable;
  if (code === 'PERMISSION_DENIED') return { title: 'You may not do this' };
  // The name of the method stands before the service's words.
  return { title: message.replace(/^[\w.]+\/\w+: /, '') };
}

function knownWords({ reason, metadata }: TaskFlowError): { title: string; hint?: string } | undefined {
  if (reason === 'PROJECT_INVITATION_ENDED') return endings[metadata['cause'] ?? ''];
  return reason === undefined ? undefined : words[reason as ErrorReason];
}

export function describeError(error: unknown): ErrorInWords {
  if (!(error instanceof TaskFlowError))
    return { title: error instanceof Error ? error.message : 'Something went wrong' };
  const { reason, callId } = error;
  const known = knownWords(error);
  return {
    ...(known ?? titleOf(error)),
    ...(reason !== undefined && { reason }),
    ...(callId !== undefined && { callId }),
  };
}

/** What is wrong with a field of a form, by the end of its path. */
export function findFieldError(error: unknown, field: string): string | undefined {
  if (!(error instanceof TaskFlowError)) return undefined;
  return error.violations.find((violation) => violation.field.split('.').at(-1) === field)?.description;
}
