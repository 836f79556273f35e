import { randomBytes } from 'node:crypto';
import { RotateWebhookSecretRequest, RotateWebhookSecretResponse } from '#contract/scheduler/v1/notifications';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { webhookNotFound } from '../domain/webhook.errors.ts';
import { toSecretText } from '../domain/webhook-message.ts';
import { getWebhook } from './get-webhook.ts';
import { sealedOnce } from './sealed-once.ts';

export interface RotateSecretInput {
  webhookId: string;
  /** How long the current secret goes on signing. */
  graceMs: number;
  requestId: string;
}

const secretBytes = 32;

/** Of the secrets before the current one, only the latest goes on signing. */
export async function rotateWebhookSecret(deps: Pick<SchedulerDeps, 'uow' | 'webhooks'>, actor: UserActor, input: RotateSecretInput): Promise<RotateWebhookSecretResponse> {
  const { webhookId, graceMs, requestId } = input;
  const { cipher } = deps.webhooks;
  const request = RotateWebhookSecretRequest.fromPartial({ webhookId, grace: { seconds: BigInt(Math.floor(graceMs / 1_000)), nanos: (graceMs % 1_000) * 1_000_000 } });
  const secret = randomBytes(secretBytes);
  const response = await deps.uow.run(
    async ({ webhooks }) => {
      const webhook = await webhooks.lock(actor.userId, webhookId);
      if (webhook === undefined) throw webhookNotFound(webhookId);
      await webhooks.rotate(webhookId, { secret: cipher.seal(secret, webhookId), previous: webhook.secret, graceMs });
      return RotateWebhookSecretResponse.fromPartial({ secret: toSecretText(secret) });
    },
    sealedOnce(cipher, once({ userId: actor.userId, method: 'RotateWebhookSecret', requestId }, request, RotateWebhookSecretRequest, RotateWebhookSecretResponse)),
  );
  return { ...response, webhook: await getWebhook(deps, actor, webhookId) };
}
