import type { ListWebhooksResponse } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import type { PageInput } from '../page-input.ts';

/** The actor's own, oldest first: ids grow with time. */
export async function listWebhooks(
  { webhooks, pageTokens }: Pick<SchedulerDeps, 'webhooks' | 'pageTokens'>,
  actor: UserActor,
  { pageSize, pageToken }: PageInput,
): Promise<ListWebhooksResponse> {
  const scope = { caller: actor.userId, method: 'ListWebhooks', filter: null };
  const after = pageTokens.open<string>(pageToken, scope);
  // One more than the page size shows whether another page follows.
  const found = await webhooks.read.list(actor.userId, after, pageSize + 1);
  const page = found.slice(0, pageSize);
  const last = found.length > pageSize ? page.at(-1) : undefined;
  return { webhooks: page, nextPageToken: last === undefined ? '' : pageTokens.seal(last.id, scope) };
}
