import type { ListNotificationsResponse } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { InboxPosition, SchedulerDeps } from '../deps.ts';

type Deps = Pick<SchedulerDeps, 'read' | 'pageTokens'>;

export interface ListNotificationsInput {
  pageSize: number;
  pageToken: string;
}

/** The actor's own inbox, newest first. */
export async function listNotifications({ read, pageTokens }: Deps, actor: UserActor, input: ListNotificationsInput): Promise<ListNotificationsResponse> {
  const scope = { caller: actor.userId, method: 'ListNotifications', filter: null };
  const after = pageTokens.open<InboxPosition>(input.pageToken, scope);
  const { notifications, next } = await read.inbox(actor.userId, after, input.pageSize);
  return { notifications, nextPageToken: next === undefined ? '' : pageTokens.seal(next, scope) };
}
