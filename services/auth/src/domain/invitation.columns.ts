import { Invitation as InvitationMessage } from '#contract/auth/v1/auth';
import { column, defineColumns, defineMessage, type Stored } from '#libs/db';
import { toMailbox } from '#libs/text';

/** Everything that is stored of an invitation. A column that is not internal is the field of its name in the message. */
export const invitationTable = defineColumns('invitations', {
  id: column.uuid().primary(),
  /** As normaliseEmail gives it. */
  email: column.text().fixed(),
  /** What is compared: the e-mail as toMailbox spells it. */
  mailbox: column.text().fixed().internal(),
  /** Of the token, which is stored nowhere. */
  tokenHash: column.text().fixed().internal(),
  /** Of the token in its mail; null without one. */
  mailTokenHash: column.text().nullable().fixed().internal(),
  inviterId: column.uuid().fixed(),
  createTime: column.time().fixed(),
  expireTime: column.time().fixed(),
  acceptTime: column.time().nullable(),
  revokeTime: column.time().nullable(),
});

export type InvitationColumns = typeof invitationTable.columns;
export type InvitationValues = Stored<InvitationColumns>;

export type NewInvitation = Pick<InvitationValues, 'id' | 'email' | 'tokenHash' | 'mailTokenHash' | 'inviterId'>;

export function newInvitation(values: NewInvitation, now: Date, lifetimeMs: number): InvitationValues {
  return {
    ...values,
    mailbox: toMailbox(values.email),
    createTime: now,
    expireTime: new Date(now.getTime() + lifetimeMs),
    acceptTime: null,
    revokeTime: null,
  };
}

export const toInvitationMessage = defineMessage<InvitationMessage, void>(InvitationMessage.fromPartial({}))(
  invitationTable,
  {},
);
