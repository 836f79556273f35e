import type { SchedulerDeps } from '../deps.ts';

const batchSize = 1_000;
const keepMs = 30 * 86_400_000;

/** Forgets what was sent to webhooks a month ago, and deleted webhooks. */
export async function pruneWebhooks({ uow }: Pick<SchedulerDeps, 'uow'>): Promise<{ again: boolean }> {
  const pruned = await uow.run(({ webhookRuns }) => webhookRuns.prune(keepMs, batchSize));
  return { again: pruned === batchSize };
}
