import type { InvitationValues } from './invitation.columns.ts';
import type { Invitation } from './invitation.entity.ts';

/** What a registration says of its invitation. */
export interface Admission {
  tokenHash: string;
  email: string;
}

export interface AcceptedInvitation {
  id: string;
  /** Its token was that of its mail, so whoever has it reads the mail of the e-mail. */
  cameByMail: boolean;
}

export interface InvitationRepository {
  /** Adds an invitation. One of the same mailbox that is open makes room for it. */
  replaceOpen(invitation: InvitationValues): Promise<void>;
  /** Marks the open invitation of this token and e-mail as accepted. Undefined when there is none. */
  accept(admission: Admission, now: Date): Promise<AcceptedInvitation | undefined>;
  /** The invitation, locked for a change. */
  lock(id: string): Promise<Invitation | undefined>;
  /** Removes up to `limit` invitations that expired before the given time; says how many. */
  removeExpired(before: Date, limit: number): Promise<number>;
}
