import { randomBytes } from 'node:crypto';
import { RotateWebhookSecretRequest, RotateWebhookSecretResponse } from '#contract/scheduler/v1/notifications';
import type { Once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { lockOwn } from '../../domain/webhooks/lock-own.ts';
import { sealedOnce } from '../../domain/webhooks/sealed-once.ts';
import { toSecretText } from '../../domain/webhooks/webhook-message.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('RotateWebhookSecret', RotateWebhookSecretRequest, RotateWebhookSecretResponse);

export interface RotateSecretInput {
  /** How long the current secret goes on signing. */
  graceMs: number;
  request: RotateWebhookSecretRequest;
}

const secretBytes = 32;

/** Of the secrets before the current one, only the latest goes on signing. */
export async function rotateWebhookSecret(
  deps: Pick<SchedulerDeps, 'uow' | 'webhooks'>,
  actor: UserActor,
  { graceMs, request }: RotateSecretInput,
): Promise<RotateWebhookSecretResponse> {
  const { webhookId, validateOnly } = request;
  const { cipher } = deps.webhooks;
  const secret = randomBytes(secretBytes);
  const record = (plain: Once<RotateWebhookSecretResponse>) => sealedOnce(cipher, plain);
  return change(deps, actor, { ...changeOf(request), record }, async ({ webhooks, readWebhook }) => {
    const webhook = await lockOwn(webhooks, actor.userId, request);
    await webhooks.rotate(webhookId, { secret: cipher.seal(secret, webhookId), previous: webhook.secret, graceMs });
    return {
      webhook: await readWebhook(actor.userId, webhookId),
      secret: validateOnly ? '' : toSecretText(secret),
    };
  });
}
