import { defineEntityOf } from '#libs/db';
import { invitationAccepted } from './auth.errors.ts';
import { invitationTable } from './invitation.columns.ts';

export const InvitationSchema = defineEntityOf(invitationTable, {
  name: 'Invitation',
  uniques: [{ name: 'invitations_token_hash_key', properties: ['tokenHash'] }],
  indexes: [
    // One mailbox has at most one open invitation.
    {
      name: 'invitations_open_key',
      expression:
        'create unique index "invitations_open_key" on "invitations" ("mailbox") where ("accept_time" is null and "revoke_time" is null)',
    },
    { name: 'invitations_create_time_idx', properties: ['createTime', 'id'] },
    { name: 'invitations_expire_time_idx', properties: ['expireTime'] },
  ],
});

/** Admits one e-mail, once. */
export class Invitation extends InvitationSchema.class {
  /** False when it was revoked already. Throws when somebody has registered with it. */
  revoke(now: Date): boolean {
    if (this.acceptTime !== null) throw invitationAccepted(this.id);
    if (this.revokeTime !== null) return false;
    this.revokeTime = now;
    return true;
  }
}
InvitationSchema.setClass(Invitation);
