import type { ListWebhookDeliveriesResponse, WebhookDeliveryState } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import type { DeliveryPosition } from '../../domain/webhooks/webhook.reader.ts';
import { getWebhook } from './get-webhook.ts';
import type { PageInput } from '../page-input.ts';

export interface ListWebhookDeliveriesInput extends PageInput {
  webhookId: string;
  states: WebhookDeliveryState[];
}

/** The deliveries of one of the actor's own webhooks, newest first. */
export async function listWebhookDeliveries(
  deps: Pick<SchedulerDeps, 'webhooks' | 'pageTokens'>,
  actor: UserActor,
  input: ListWebhookDeliveriesInput,
): Promise<ListWebhookDeliveriesResponse> {
  const { webhookId, states, pageSize, pageToken } = input;
  const { webhooks, pageTokens } = deps;
  await getWebhook(deps, actor, webhookId);
  const scope = { caller: actor.userId, method: 'ListWebhookDeliveries', filter: { webhookId, states } };
  const { deliveries, next } = await webhooks.read.log(
    webhookId,
    states,
    pageTokens.open<DeliveryPosition>(pageToken, scope),
    pageSize,
  );
  return { deliveries, nextPageToken: next === undefined ? '' : pageTokens.seal(next, scope) };
}
