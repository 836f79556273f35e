import type { AuthDeps } from '../deps.ts';

const batchSize = 1000;
// Expired sessions stay visible to their owner, and their tokens recognisable, for a while.
const sessionsKeptMs = 7 * 24 * 3_600_000;
// As the contract says.
const invitationsKeptMs = 30 * 24 * 3_600_000;
// They are counted for an hour, and recognised when the wish for them is carried out again.
const mailsKeptMs = 7 * 24 * 3_600_000;
const personalTokensKeptMs = 30 * 24 * 3_600_000;

/**
 * Removes a batch each of sessions, invitations, personal tokens and mails that expired long ago, of tokens of accounts,
 * of revocations whose tokens have all expired by themselves and of recorded requests that are older than 24 hours.
 * `again`: there may be more.
 */
export async function removeExpired({ uow, clock }: Pick<AuthDeps, 'uow' | 'clock'>): Promise<{ again: boolean }> {
  const now = clock.now();
  const ago = (ms: number): Date => new Date(now.getTime() - ms);
  const counts = [
    await uow.run(({ sessions }) => sessions.removeExpired(ago(sessionsKeptMs), batchSize)),
    await uow.run(({ invitations }) => invitations.removeExpired(ago(invitationsKeptMs), batchSize)),
    await uow.run(({ projectInvitees }) => projectInvitees.removeExpired(ago(invitationsKeptMs), batchSize)),
    await uow.run(({ accountTokens }) => accountTokens.removeExpired(now, batchSize)),
    await uow.run(({ mails }) => mails.removeExpired(ago(mailsKeptMs), batchSize)),
    await uow.run(({ personalTokens }) => personalTokens.removeExpired(ago(personalTokensKeptMs), batchSize)),
    await uow.run(({ revocations }) => revocations.removeExpired(now, batchSize)),
    await uow.run(({ requests }) => requests.prune(batchSize)),
  ];
  return { again: counts.includes(batchSize) };
}
