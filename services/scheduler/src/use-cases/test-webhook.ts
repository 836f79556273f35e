import { TestWebhookRequest, TestWebhookResponse } from '#contract/scheduler/v1/notifications';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { webhookNotEnabled, webhookNotFound } from '../domain/webhook.errors.ts';
import { writeTestBody } from '../domain/webhook-message.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'clock' | 'wakeDispatch'>;

/** Puts a message on the usual way. */
export async function testWebhook({ uow, newId, clock, wakeDispatch }: Deps, actor: UserActor, input: { webhookId: string; requestId: string }): Promise<TestWebhookResponse> {
  const { webhookId, requestId } = input;
  const deliveryId = newId();
  const response = await uow.run(
    async ({ webhooks }) => {
      const webhook = await webhooks.lock(actor.userId, webhookId);
      if (webhook === undefined) throw webhookNotFound(webhookId);
      if (webhook.state !== 'enabled') throw webhookNotEnabled(webhookId);
      await webhooks.addTest(webhookId, { deliveryId, messageId: `test_${deliveryId}`, body: writeTestBody(webhookId, clock.now()) });
      return { deliveryId };
    },
    once({ userId: actor.userId, method: 'TestWebhook', requestId }, { webhookId, requestId: '' }, TestWebhookRequest, TestWebhookResponse),
  );
  wakeDispatch();
  return response;
}
