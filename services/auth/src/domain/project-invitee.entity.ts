import { defineEntityOf } from '#libs/db';
import type { Account } from './account.entity.ts';
import { invitationExpired, invitationForAnother, invitationUsed } from './project-invitation.errors.ts';
import { newProjectInvitee, projectInviteeTable, type JoinOutcome } from './project-invitee.columns.ts';

export const ProjectInviteeSchema = defineEntityOf(projectInviteeTable, {
  name: 'ProjectInvitee',
  uniques: [{ name: 'project_invitees_token_hash_key', properties: ['tokenHash'] }],
  indexes: [
    { name: 'project_invitees_mailbox_idx', properties: ['mailbox'] },
    { name: 'project_invitees_inviter_id_idx', properties: ['inviterId', 'id'] },
    { name: 'project_invitees_accepter_id_idx', properties: ['accepterId'], where: 'accepter_id is not null' },
    { name: 'project_invitees_expire_time_idx', properties: ['expireTime'] },
  ],
});

/** Lets one account with the invited e-mail join a project. */
export class ProjectInvitee extends ProjectInviteeSchema.class {
  static create(...how: Parameters<typeof newProjectInvitee>): ProjectInvitee {
    return Object.assign(new ProjectInvitee(), newProjectInvitee(...how));
  }

  /** A mail is made, and with it the invitation counts until a later time, never an earlier one. */
  renew(expireTime: Date): void {
    if (expireTime > this.expireTime) this.expireTime = expireTime;
  }

  /** Gives it another token, when the key that made the one before is gone. */
  replaceToken(tokenHash: string): void {
    this.tokenHash = tokenHash;
  }

  /** False when the account has accepted it before. Throws when it may not, or when it is too late. */
  accept(account: Account, now: Date): boolean {
    if (this.accepterId === account.id) return false;
    if (this.acceptTime !== null) throw invitationUsed();
    if (!account.hasMailboxOf(this.email)) throw invitationForAnother();
    if (this.expireTime <= now) throw invitationExpired();
    this.acceptTime = now;
    this.accepterId = account.id;
    return true;
  }

  /** The first answer of tasks stays. */
  settle(outcome: JoinOutcome): void {
    this.outcome ??= outcome;
  }
}
ProjectInviteeSchema.setClass(ProjectInvitee);
