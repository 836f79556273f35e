import type { Invitation } from './invitation.entity.ts';

/** A mail that auth is to send, as JSON. The e-mail is stored here until auth has it. */
export type InvitationMail = {
  invitationId: string;
  /** Of this mail alone, so that a call that is repeated mails nothing more. */
  mailId: string;
  projectId: string;
  inviterId: string;
  /** '' = auth has it from a mail before. */
  email: string;
  expireTime: string;
};

/** Invitations to projects. The lock on their project orders their changes. */
export interface InvitationRepository {
  find(id: string): Promise<Invitation | undefined>;
  add(invitation: Invitation): Promise<void>;
  save(invitation: Invitation): Promise<void>;
  /** How many of the project's can still be accepted. */
  countOpen(projectId: string, now: Date): Promise<number>;
  /** Has auth mail an invitation, after the transaction. */
  mail(mail: InvitationMail): void;
  /** Removes up to `limit` that expired before a time. Returns how many. */
  prune(before: Date, limit: number): Promise<number>;
}
