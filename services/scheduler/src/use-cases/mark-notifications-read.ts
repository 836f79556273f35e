import { MarkNotificationsReadRequest, MarkNotificationsReadResponse } from '#contract/scheduler/v1/notifications';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';

/** A transaction's worth. */
const maxAtOnce = 10_000;

export interface MarkReadInput {
  /** Empty: all. */
  notificationIds: string[];
  deliveredUntil: Date | undefined;
  requestId: string;
}

/** Marks what is in the actor's own inbox; whatever else is named there is passed over. */
export async function markNotificationsRead({ uow }: Pick<SchedulerDeps, 'uow'>, actor: UserActor, input: MarkReadInput): Promise<MarkNotificationsReadResponse> {
  const { notificationIds, deliveredUntil, requestId } = input;
  const all = notificationIds.length === 0;
  return uow.run(
    async ({ inbox }) => {
      const marked = await inbox.markRead(actor.userId, all ? { until: deliveredUntil } : { ids: notificationIds }, maxAtOnce);
      return { marked, more: all && marked === maxAtOnce };
    },
    once(
      { userId: actor.userId, method: 'MarkNotificationsRead', requestId },
      { notificationIds, all, deliveredUntil, requestId: '' },
      MarkNotificationsReadRequest,
      MarkNotificationsReadResponse,
    ),
  );
}
