import { ProjectInvitee as InviteeMessage } from '#contract/auth/v1/auth';
import { column, defineColumns, defineMessage, type Stored } from '#libs/db';
import { toMailbox } from '#libs/text';

/** What became of whoever accepted an invitation to a project; the last one is found here, the others by tasks. */
export const joinOutcomes = [
  'joined',
  'cancelled',
  'inviter_gone',
  'project_deleted',
  'project_archived',
  'project_full',
  'too_many_projects',
  'used',
  'account_deleted',
] as const;
export type JoinOutcome = (typeof joinOutcomes)[number];

/** Whom an invitation to a project was sent to. Everything else about the invitation is for tasks to know. */
export const projectInviteeTable = defineColumns('project_invitees', {
  /** Of the invitation, given by tasks. */
  id: column.uuid().primary().internal(),
  projectId: column.uuid().fixed(),
  inviterId: column.uuid().fixed(),
  /** As normaliseEmail gives it. */
  email: column.text().fixed(),
  /** What is compared: the e-mail as toMailbox spells it. */
  mailbox: column.text().fixed().internal(),
  /** Of the token, which is stored nowhere. */
  tokenHash: column.text().internal(),
  createTime: column.time().fixed(),
  expireTime: column.time(),
  /** When the last mail was made. */
  mailTime: column.time().nullable(),
  acceptTime: column.time().nullable(),
  accepterId: column.uuid().nullable().internal(),
  /** Null until tasks has answered. */
  outcome: column.oneOf(joinOutcomes).nullable().internal(),
});

export type ProjectInviteeColumns = typeof projectInviteeTable.columns;
export type ProjectInviteeValues = Stored<ProjectInviteeColumns>;

export type NewProjectInvitee = Pick<
  ProjectInviteeValues,
  'id' | 'projectId' | 'inviterId' | 'email' | 'tokenHash' | 'expireTime'
>;

export function newProjectInvitee(values: NewProjectInvitee, now: Date): ProjectInviteeValues {
  const open = { mailTime: null, acceptTime: null, accepterId: null, outcome: null };
  return { ...values, mailbox: toMailbox(values.email), createTime: now, ...open };
}

export const toProjectInviteeMessage = defineMessage<InviteeMessage, void>(InviteeMessage.fromPartial({}))(
  projectInviteeTable,
  { invitationId: ({ id }) => id },
);
