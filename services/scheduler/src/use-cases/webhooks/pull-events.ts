import type { Position } from '#libs/events';
import type { SchedulerDeps } from '../../deps.ts';
import type { PulledTaskEvents } from '../../domain/events/tasks.port.ts';

/** As many as the contract lets name. */
const maxReaders = 20_000;

type Deps = Pick<SchedulerDeps, 'tasks' | 'uow' | 'webhooks' | 'notifyDispatcher'>;

/**
 * Pulls the log of tasks. The webhooks that have something to read on the page know it before the pull goes on behind the
 * page, so none is forgotten; one that is told twice reads once more.
 */
export async function pullEvents(deps: Deps, after: Position | undefined): Promise<PulledTaskEvents> {
  const readers = await deps.webhooks.read.readers(maxReaders + 1);
  const page = await deps.tasks.pullEvents(after, readers.length > maxReaders ? 'all' : readers);
  if (page.readerIds.length === 0) return page;
  await deps.uow.run(({ webhookFeeds }) => webhookFeeds.wake(page.readerIds));
  deps.notifyDispatcher();
  return page;
}
