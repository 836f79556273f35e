import { crashPoint } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';

const batchSize = 20;
/** By then every service knows that the tokens have ended, and calls that were under way have. */
const settleMs = 10_000;

/** Begins the removal of deleted accounts whose time has come. The outbox carries them on. */
export async function beginRemovals({ uow, clock }: Pick<AuthDeps, 'uow' | 'clock'>): Promise<{ again: boolean }> {
  const now = clock.now();
  const times = { purgedBy: now, deletedBy: new Date(now.getTime() - settleMs) };
  const begun = await uow.run(({ deletions }) => deletions.begin(times, batchSize));
  if (begun.length > 0) crashPoint('removal.after-begin');
  return { again: begun.length === batchSize };
}
