import type { ListWebhooksResponse } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';

export async function listWebhooks({ webhooks }: Pick<SchedulerDeps, 'webhooks'>, actor: UserActor): Promise<ListWebhooksResponse> {
  return { webhooks: await webhooks.read.list(actor.userId) };
}
