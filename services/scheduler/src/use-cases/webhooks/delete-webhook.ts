import { DeleteWebhookRequest, DeleteWebhookResponse } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { lockOwn } from '../../domain/webhooks/lock-own.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('DeleteWebhook', DeleteWebhookRequest, DeleteWebhookResponse);

export async function deleteWebhook(
  deps: Pick<SchedulerDeps, 'uow'>,
  actor: UserActor,
  request: DeleteWebhookRequest,
): Promise<DeleteWebhookResponse> {
  return change(deps, actor, changeOf(request), async ({ webhooks }) => {
    await lockOwn(webhooks, actor.userId, request);
    await webhooks.delete(request.webhookId);
    return {};
  });
}
