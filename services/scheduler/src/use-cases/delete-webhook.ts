import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { webhookNotFound } from '../domain/webhook.errors.ts';

export async function deleteWebhook({ uow }: Pick<SchedulerDeps, 'uow'>, actor: UserActor, webhookId: string): Promise<void> {
  await uow.run(async ({ webhooks }) => {
    if ((await webhooks.lock(actor.userId, webhookId)) === undefined) throw webhookNotFound(webhookId);
    await webhooks.delete(webhookId);
  });
}
