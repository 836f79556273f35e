import type { AuthDeps } from '../deps.ts';

/** Measures how removals stand, and says which wait for a person to decide. */
export async function reportRemovals(
  { removals, clock, logger }: Pick<AuthDeps, 'removals' | 'clock' | 'logger'>,
  lag: { set(seconds: number): void },
): Promise<void> {
  const { lagMs, waitingIds } = await removals.report(clock.now());
  lag.set(lagMs / 1000);
  for (const accountId of waitingIds)
    logger.error({ accountId }, 'the removal of an account waits: its successor is missing or disabled');
}
