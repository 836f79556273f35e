import type { Revocation, WatchRevocationsResponse } from '#contract/auth/v1/auth';
import type { AuthDeps, SpreadRevocation } from '../deps.ts';

/** What has been revoked, for a service that checks tokens by itself. */
export async function* watchRevocations(
  { revocationWatch }: Pick<AuthDeps, 'revocationWatch'>,
  signal: AbortSignal,
): AsyncGenerator<WatchRevocationsResponse, void> {
  for await (const { revocations, snapshotComplete } of revocationWatch.watch(signal))
    yield { revocations: revocations.map(toMessage), snapshotComplete };
}

function toMessage({ sessionId, accountId, notBefore, expireTime }: SpreadRevocation): Revocation {
  const subject = { accountId: accountId ?? '', notBeforeTime: notBefore ?? undefined };
  return {
    target: sessionId == null ? { $case: 'subject', value: subject } : { $case: 'sessionId', value: sessionId },
    expireTime,
  };
}
