import { randomBytes } from 'node:crypto';
import { CreateWebhookRequest, CreateWebhookResponse, notificationKindToNumber, Webhook, WebhookState, type NotificationKind } from '#contract/scheduler/v1/notifications';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { webhookEtag } from '../domain/webhook.entity.ts';
import { maxWebhooks, tooManyWebhooks } from '../domain/webhook.errors.ts';
import { toSecretText } from '../domain/webhook-message.ts';
import { sealedOnce } from './sealed-once.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'webhooks' | 'newId' | 'clock'>;

export interface CreateWebhookInput {
  url: string;
  description: string;
  kinds: NotificationKind[];
  requestId: string;
}

const secretBytes = 32;

/** The secret is told in this answer, and in its repetition under the same request id, and never again. */
export async function createWebhook({ uow, webhooks, newId, clock }: Deps, actor: UserActor, input: CreateWebhookInput): Promise<CreateWebhookResponse> {
  const { url, description, kinds, requestId } = input;
  const [id, secret, now] = [newId(), randomBytes(secretBytes), clock.now()];
  const request = CreateWebhookRequest.fromPartial({ webhook: { url, description, kinds } });
  return uow.run(
    async (repositories) => {
      if ((await repositories.webhooks.countLocked(actor.userId)) >= maxWebhooks) throw tooManyWebhooks();
      const sealed = webhooks.cipher.seal(secret, id);
      await repositories.webhooks.add({ id, ownerId: actor.userId, url, description, kinds: kinds.map(notificationKindToNumber), secret: sealed });
      const webhook = Webhook.fromPartial({ id, url, description, kinds, state: WebhookState.ENABLED, createTime: now, updateTime: now, etag: webhookEtag(1n) });
      return { webhook, secret: toSecretText(secret) };
    },
    sealedOnce(webhooks.cipher, once({ userId: actor.userId, method: 'CreateWebhook', requestId }, request, CreateWebhookRequest, CreateWebhookResponse)),
  );
}
