import type { Repositories } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import { Revocation } from '../domain/revocation.entity.ts';
import type { RevokeReason } from '../domain/session.columns.ts';

/**
 * Ends all sessions of a locked account, whose own state says already that earlier tokens are not valid; one revocation
 * ends the access tokens of all of them.
 */
export async function endAllSessions(
  { sessions, revocations }: Pick<Repositories, 'sessions' | 'revocations'>,
  { id, tokensNotBefore }: Account,
  { reason, now }: { reason: RevokeReason; now: Date },
): Promise<void> {
  for (const session of await sessions.lockAlive(id, now)) session.revoke(reason, now);
  if (tokensNotBefore !== null) revocations.add(Revocation.ofAccount(id, tokensNotBefore));
}
