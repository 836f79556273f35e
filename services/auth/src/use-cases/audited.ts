import type { AuditEntry } from '#libs/audit';

type Subject = Required<Pick<AuditEntry, 'target' | 'accountId'>>;

/** An event about an account, of which its person reads. */
export const ofAccount = ({ id }: { id: string }): Subject => ({ target: { kind: 'account', id }, accountId: id });

/** An event about a session. */
export const ofSession = ({ id, accountId }: { id: string; accountId: string }): Subject => ({
  target: { kind: 'session', id },
  accountId,
});

/** An event about a personal token. */
export const ofToken = ({ id, accountId }: { id: string; accountId: string }): Subject => ({
  target: { kind: 'personal_token', id },
  accountId,
});
