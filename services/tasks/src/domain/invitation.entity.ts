import { defineEntityOf } from '#libs/db';
import { ProjectInvitationState } from '#contract/tasks/v1/projects';
import { invitationTable, type InvitationValues } from './invitation.columns.ts';
import { invitationClosed } from './invitation.errors.ts';

export const InvitationSchema = defineEntityOf(invitationTable, {
  name: 'ProjectInvitation',
  indexes: [
    { name: 'project_invitations_by_time', properties: ['projectId', 'createTime', 'id'] },
    { name: 'project_invitations_of_inviter', properties: ['inviterId', 'id'] },
    { name: 'project_invitations_of_accepter', properties: ['accepterId'], where: 'accepter_id is not null' },
    { name: 'project_invitations_expiry', properties: ['expireTime'] },
  ],
});

const { OPEN, ACCEPTED, CANCELLED } = ProjectInvitationState;

export type InvitationEnd = Exclude<ProjectInvitationState, typeof OPEN | ProjectInvitationState.EXPIRED>;

const invitationLifetimeMs = 7 * 24 * 3_600_000;

type NewInvitation = Pick<InvitationValues, 'id' | 'projectId' | 'inviterId' | 'byAdministrator' | 'role'>;

/** Has one person join a project, once. Its changes take turns at the lock on the project. */
export class Invitation extends InvitationSchema.class {
  static of(values: InvitationValues): Invitation {
    return Object.assign(new Invitation(), values);
  }

  static create(values: NewInvitation, now: Date): Invitation {
    const expireTime = new Date(now.getTime() + invitationLifetimeMs);
    return Invitation.of({ ...values, state: OPEN, createTime: now, expireTime, endTime: null, accepterId: null });
  }

  /** Neither accepted, cancelled nor ended; it may have expired. */
  isOpen(): boolean {
    return this.state === OPEN;
  }

  /** Throws when it was accepted or has ended. */
  cancel(now: Date): void {
    if (this.state === CANCELLED) return;
    this.requireOpen();
    this.end(CANCELLED, now);
  }

  /** Makes it count for its whole time from now on. Throws when it was accepted, cancelled or has ended. */
  renew(now: Date): void {
    this.requireOpen();
    this.expireTime = new Date(now.getTime() + invitationLifetimeMs);
  }

  accept(userId: string, now: Date): void {
    this.accepterId = userId;
    this.end(ACCEPTED, now);
  }

  end(state: InvitationEnd, now: Date): void {
    this.state = state;
    this.endTime = now;
  }

  private requireOpen(): void {
    if (!this.isOpen()) throw invitationClosed(this.id, this.state);
  }
}

InvitationSchema.setClass(Invitation);
