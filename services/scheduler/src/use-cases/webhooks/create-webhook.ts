import { randomBytes } from 'node:crypto';
import { CreateWebhookRequest, CreateWebhookResponse } from '#contract/scheduler/v1/notifications';
import type { Once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { sealedOnce } from '../../domain/webhooks/sealed-once.ts';
import { toSecretText } from '../../domain/webhooks/webhook-message.ts';
import { maxWebhooks, tooManyWebhooks } from '../../domain/webhooks/webhook.errors.ts';
import { changeAfter, changesOf } from '../change.ts';

const changeOf = changesOf('CreateWebhook', CreateWebhookRequest, CreateWebhookResponse);

type Deps = Pick<SchedulerDeps, 'uow' | 'recall' | 'webhooks' | 'newId' | 'tasks'>;

const secretBytes = 32;

/** Only this response, and its repetition under the same idempotency key, contains the secret. */
export async function createWebhook(
  deps: Deps,
  actor: UserActor,
  request: CreateWebhookRequest,
): Promise<CreateWebhookResponse> {
  const { url = '', description = '', kinds = [], events = [], projectId = '' } = request.webhook ?? {};
  const { cipher } = deps.webhooks;
  const [id, secret] = [deps.newId(), randomBytes(secretBytes)];
  const record = (plain: Once<CreateWebhookResponse>) => sealedOnce(cipher, plain);
  // From now on; it says as well whether the caller manages the project.
  const reader = { userId: actor.userId, projectId };
  return changeAfter(
    deps,
    actor,
    { ...changeOf(request), record },
    {
      ask: async () => (events.length === 0 ? undefined : deps.tasks.findPosition(reader)),
      work: async ({ webhooks, webhookFeeds, readWebhook }, start) => {
        if ((await webhooks.countLocked(actor.userId)) >= maxWebhooks) throw tooManyWebhooks();
        const told = { url, description, kinds, events, projectId: projectId || null };
        await webhooks.add({ id, ownerId: actor.userId, ...told, secret: cipher.seal(secret, id) });
        if (start !== undefined) await webhookFeeds.startAt(id, start.position);
        const webhook = await readWebhook(actor.userId, id);
        return { webhook, secret: request.validateOnly ? '' : toSecretText(secret) };
      },
    },
  );
}
