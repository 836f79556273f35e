import type { GetUnreadCountResponse } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';

/** Counting further would take time and help nobody. */
const max = 10_000;

export async function getUnreadCount(
  { inbox }: Pick<SchedulerDeps, 'inbox'>,
  actor: UserActor,
): Promise<GetUnreadCountResponse> {
  return { unreadCount: await inbox.unread(actor.userId, max) };
}
