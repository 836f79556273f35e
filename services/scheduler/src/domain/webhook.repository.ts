import { runStatement, type EntityManager } from '#libs/db';
import type { WebhookState } from './webhook.entity.ts';

/** A webhook as far as its owner's requests decide on it; locked. */
export interface LockedWebhook {
  id: string;
  state: WebhookState;
  version: bigint;
  secret: Buffer;
}

export interface NewWebhook {
  id: string;
  ownerId: string;
  url: string;
  description: string;
  kinds: number[];
  /** Sealed. */
  secret: Buffer;
}

/** The fields that an update names. */
export type WebhookChange = Partial<Pick<NewWebhook, 'url' | 'description' | 'kinds'>>;

/** What owners do to their webhooks. */
export interface WebhookRepository {
  /** How many a user has; others who ask wait until the transaction ends. */
  countLocked(ownerId: string): Promise<number>;
  add(webhook: NewWebhook): Promise<void>;
  /** Undefined when the user has no such webhook. */
  lock(ownerId: string, webhookId: string): Promise<LockedWebhook | undefined>;
  change(webhookId: string, change: WebhookChange): Promise<void>;
  /** Its secrets go at once, the rest is pruned later. */
  delete(webhookId: string): Promise<void>;
  rotate(webhookId: string, rotation: { secret: Buffer; previous: Buffer; graceMs: number }): Promise<void>;
  enable(webhookId: string): Promise<void>;
  addTest(webhookId: string, test: { deliveryId: string; messageId: string; body: string }): Promise<void>;
  /** Undefined when there is none; it stays so until the transaction ends. */
  stateOf(webhookId: string): Promise<WebhookState | undefined>;
  /** False when there is no such delivery. */
  redeliver(webhookId: string, deliveryId: string): Promise<boolean>;
}

const countText = `select count(*)::int as count from webhooks where owner_id = $1 and state <> 'deleted'`;
const addText = `
  insert into webhooks (id, owner_id, url, description, kinds, state, disable_reason, secret, version, create_time, update_time, failures)
  values ($1, $2, $3, $4, $5::smallint[], 'enabled', '', $6, 1, now(), now(), 0)`;
const lockText = `select id, state, version, secret from webhooks where id = $2 and owner_id = $1 and state <> 'deleted' for update`;
const stateText = `select state from webhooks where id = $1 for update`;
const changeText = `
  update webhooks set url = coalesce($2, url), description = coalesce($3, description), kinds = coalesce($4::smallint[], kinds),
    version = version + 1, update_time = now() where id = $1`;
const deleteText = `update webhooks set state = 'deleted', secret = '', previous_secret = null, next_run_time = null, job_id = null, update_time = now() where id = $1`;
const rotateText = `
  update webhooks set secret = $2, previous_secret = $3, previous_secret_expire_time = case when $3::bytea is null then null else now() + make_interval(secs => $4::float8 / 1000) end,
    version = version + 1, update_time = now() where id = $1`;
const enableText = `
  update webhooks set state = 'enabled', disable_reason = '', disable_time = null, failures = 0, failing_since = null, version = version + 1, update_time = now()
  where id = $1 and state = 'disabled'`;
const addTestText = `
  insert into webhook_deliveries (id, webhook_id, kind, task_version, event_id, message_id, body, state, attempts, next_attempt_time, create_time)
  values ($2, $1, 0, 0, 0, $3, $4, 'pending', 0, clock_timestamp(), now())`;
const wakeText = `update webhooks set next_run_time = least(coalesce(next_run_time, clock_timestamp()), clock_timestamp()) where id = $1 and state = 'enabled'`;
const redeliverText = `
  update webhook_deliveries set state = 'pending', redelivery = true, first_attempt_time = null, next_attempt_time = clock_timestamp(), finish_time = null, last_error = ''
  where id = $2 and webhook_id = $1 returning id`;

export function createWebhookRepository(em: EntityManager): WebhookRepository {
  const run = <Row>(text: string, parameters: unknown[]): Promise<Row[]> => runStatement<Row>(em, text, parameters);
  return {
    countLocked: async (ownerId) => {
      await run('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`webhooks ${ownerId}`]);
      return (await run<{ count: number }>(countText, [ownerId]))[0]?.count ?? 0;
    },
    add: async ({ id, ownerId, url, description, kinds, secret }) => void (await run(addText, [id, ownerId, url, description, kinds, secret])),
    lock: async (ownerId, webhookId) => {
      const [row] = await run<Omit<LockedWebhook, 'version'> & { version: string }>(lockText, [ownerId, webhookId]);
      return row && { ...row, version: BigInt(row.version) };
    },
    change: async (webhookId, { url, description, kinds }) => void (await run(changeText, [webhookId, url ?? null, description ?? null, kinds ?? null])),
    delete: async (webhookId) => void (await run(deleteText, [webhookId])),
    rotate: async (webhookId, { secret, previous, graceMs }) => void (await run(rotateText, [webhookId, secret, graceMs === 0 ? null : previous, graceMs])),
    enable: async (webhookId) => void (await run(enableText, [webhookId])),
    addTest: async (webhookId, { deliveryId, messageId, body }) => {
      await run(addTestText, [webhookId, deliveryId, messageId, body]);
      await run(wakeText, [webhookId]);
    },
    stateOf: async (webhookId) => (await run<{ state: WebhookState }>(stateText, [webhookId]))[0]?.state,
    redeliver: async (webhookId, deliveryId) => {
      const rows = await run(redeliverText, [webhookId, deliveryId]);
      await run(wakeText, [webhookId]);
      return rows.length === 1;
    },
  };
}
