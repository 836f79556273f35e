import { MarkNotificationsReadRequest, MarkNotificationsReadResponse } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import type { Marking } from '../../domain/notifications/inbox.repository.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('MarkNotificationsRead', MarkNotificationsReadRequest, MarkNotificationsReadResponse);

/** A transaction's worth. */
const maxAtOnce = 10_000;

export interface MarkReadInput {
  marking: Marking;
  request: MarkNotificationsReadRequest;
}

/** Marks notifications of the actor's own inbox; other ids are ignored. */
export async function markNotificationsRead(
  deps: Pick<SchedulerDeps, 'uow'>,
  actor: UserActor,
  { marking, request }: MarkReadInput,
): Promise<MarkNotificationsReadResponse> {
  return change(deps, actor, changeOf(request), async ({ inbox }) => {
    const markedCount = await inbox.markRead(actor.userId, marking, maxAtOnce);
    return { markedCount, incomplete: !('ids' in marking) && markedCount === maxAtOnce };
  });
}
