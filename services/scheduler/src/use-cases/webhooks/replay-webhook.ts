import { ReplayWebhookRequest, ReplayWebhookResponse, WebhookState } from '#contract/scheduler/v1/notifications';
import type { Position } from '#libs/events';
import type { UserActor } from '#libs/runtime';
import type { Repositories, SchedulerDeps } from '../../deps.ts';
import { lockOwn } from '../../domain/webhooks/lock-own.ts';
import {
  replayTooOld,
  webhookDeliveryNotFound,
  webhookNotEnabled,
  webhookWithoutEvents,
} from '../../domain/webhooks/webhook.errors.ts';
import { changeAfter, changesOf } from '../change.ts';

const changeOf = changesOf('ReplayWebhook', ReplayWebhookRequest, ReplayWebhookResponse);

export interface ReplayWebhookInput {
  webhookId: string;
  etag: string;
  start: { deliveryId: string } | { time: Date };
  request: ReplayWebhookRequest;
}

type Deps = Pick<SchedulerDeps, 'uow' | 'recall' | 'tasks' | 'notifyDispatcher'>;

/** Sets the webhook back in the log. Its place is asked for between two transactions, since no call may be in one. */
export async function replayWebhook(
  deps: Deps,
  actor: UserActor,
  { request, ...input }: ReplayWebhookInput,
): Promise<ReplayWebhookResponse> {
  const response = await changeAfter(deps, actor, changeOf(request), {
    ask: async () => {
      const { reader, start } = await deps.uow.run((repositories) => check(repositories, actor, input));
      return deps.tasks.findPosition(reader, start);
    },
    work: async (repositories, { position }) => {
      await check(repositories, actor, input);
      await repositories.webhookFeeds.setBack(input.webhookId, position);
      return {};
    },
  });
  if (!request.validateOnly) deps.notifyDispatcher();
  return response;
}

async function check(
  { webhooks, webhookFeeds }: Pick<Repositories, 'webhooks' | 'webhookFeeds'>,
  { userId }: UserActor,
  { start, ...input }: Omit<ReplayWebhookInput, 'request'>,
) {
  const { webhookId } = input;
  const webhook = await lockOwn(webhooks, userId, input);
  if (webhook.events.length === 0) throw webhookWithoutEvents(webhookId);
  if (webhook.state !== WebhookState.ENABLED) throw webhookNotEnabled(webhookId);
  const reader = { userId, projectId: webhook.projectId ?? '' };
  const oldest = await webhookFeeds.oldestReplay();
  if ('time' in start) {
    if (start.time < oldest) throw replayTooOld(oldest);
    return { reader, start };
  }
  return { reader, start: { event: await requireDelivery(webhookFeeds, webhookId, start.deliveryId, oldest) } };
}

async function requireDelivery(
  webhookFeeds: Repositories['webhookFeeds'],
  webhookId: string,
  deliveryId: string,
  oldest: Date,
): Promise<Position> {
  const delivery = await webhookFeeds.findDelivery(webhookId, deliveryId);
  if (delivery === undefined) throw webhookDeliveryNotFound(deliveryId);
  if (delivery.isOld) throw replayTooOld(oldest);
  return delivery.position;
}
