import { TestWebhookRequest, TestWebhookResponse, WebhookState } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { lockOwn } from '../../domain/webhooks/lock-own.ts';
import { writeTestBody } from '../../domain/webhooks/webhook-message.ts';
import { webhookNotEnabled } from '../../domain/webhooks/webhook.errors.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('TestWebhook', TestWebhookRequest, TestWebhookResponse);

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'clock' | 'notifyDispatcher'>;

/** Queues a message like any other delivery. */
export async function testWebhook(
  deps: Deps,
  actor: UserActor,
  request: TestWebhookRequest,
): Promise<TestWebhookResponse> {
  const { webhookId } = request;
  const deliveryId = deps.newId();
  const response = await change(deps, actor, changeOf(request), async ({ webhooks }) => {
    const webhook = await lockOwn(webhooks, actor.userId, request);
    if (webhook.state !== WebhookState.ENABLED) throw webhookNotEnabled(webhookId);
    await webhooks.addTest(webhookId, {
      deliveryId,
      messageId: `test_${deliveryId}`,
      body: writeTestBody(webhookId, deps.clock.now()),
    });
    return { deliveryId };
  });
  if (!request.validateOnly) deps.notifyDispatcher();
  return response;
}
