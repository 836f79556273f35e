import type { AuthDeps } from '../deps.ts';

/** Measures how removals stand, and says which wait for a person to decide. */
export async function reportRemovals(
  { removals, clock, logger }: Pick<AuthDeps, 'removals' | 'clock' | 'logger'>,
  { lag, waiting }: Record<'lag' | 'waiting', { set(value: number): void }>,
): Promise<void> {
  const report = await removals.report(clock.now());
  lag.set(report.lagMs / 1000);
  waiting.set(report.waitingCount);
  for (const { accountId, successorId } of report.waiting)
    logger.error({ accountId, successorId }, 'the removal of an account waits: its successor is missing or disabled');
}
