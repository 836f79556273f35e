import type { Admission } from './invitation.repository.ts';
import type { ProjectInvitee } from './project-invitee.entity.ts';

/** Somebody who has accepted an invitation to a project, as JSON. */
export type ProjectJoin = { invitationId: string; accountId: string };

/** Whom invitations to projects were sent to. The account's lock comes before theirs. */
export interface ProjectInviteeRepository {
  add(invitee: ProjectInvitee): void;
  /** Locked for a change. */
  lock(id: string): Promise<ProjectInvitee | undefined>;
  /** The one of this token and e-mail that can be accepted, locked. */
  lockAdmitted(admission: Admission, now: Date): Promise<ProjectInvitee | undefined>;
  /** Has tasks make the person a member, after the transaction. */
  join(join: ProjectJoin): void;
  /** Removes up to `limit` that expired before the given time; says how many. */
  removeExpired(before: Date, limit: number): Promise<number>;
}
