import { notificationKindToNumber, type ListNotificationsResponse } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import type { InboxFilter, InboxPosition } from '../../domain/notifications/inbox.reader.ts';
import type { PageInput } from '../page-input.ts';

type Deps = Pick<SchedulerDeps, 'inbox' | 'pageTokens'>;

export interface ListNotificationsInput extends InboxFilter, PageInput {
  /** Instead of the inbox: what this digest stands for. '' = none. */
  digestId: string;
}

/** The actor's own inbox, newest first, or what a digest in it stands for. */
export async function listNotifications(
  { inbox, pageTokens }: Deps,
  actor: UserActor,
  input: ListNotificationsInput,
): Promise<ListNotificationsResponse> {
  const { unreadOnly, kinds, digestId, pageSize } = input;
  const scope = {
    caller: actor.userId,
    method: 'ListNotifications',
    filter: { unreadOnly, kinds: kinds.map(notificationKindToNumber), digestId },
  };
  const after = pageTokens.open<InboxPosition>(input.pageToken, scope);
  const { notifications, next } =
    digestId === ''
      ? await inbox.page(actor.userId, { unreadOnly, kinds }, after, pageSize)
      : await inbox.digest(actor.userId, digestId, after, pageSize);
  return { notifications, nextPageToken: next === undefined ? '' : pageTokens.seal(next, scope) };
}
