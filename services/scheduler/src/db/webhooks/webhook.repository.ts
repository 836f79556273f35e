import { notificationKindToNumber, webhookMessageTypeToNumber } from '#contract/scheduler/v1/notifications';
import { pickColumns, runStatement, type EntityManager, type RowOf, type Statement } from '#libs/db';
import { untouched, webhookTable } from '../../domain/webhooks/webhook.columns.ts';
import type { LockedWebhook, WebhookRepository } from '../../domain/webhooks/webhook.repository.ts';
import { insertRows, transactionTime } from '../insert-rows.ts';

const countText = `select count(*)::int as count from webhooks where owner_id = $1 and state <> 'deleted'`;
const lockedTable = pickColumns(webhookTable, 'id', 'state', 'version', 'secret', 'events', 'projectId');
const lockOwn: Statement = {
  name: 'lock_own_webhook',
  text: `select ${lockedTable.select()} from webhooks where id = $1 and owner_id = $2 and state <> 'deleted' for update`,
};
const lockAny: Statement = {
  name: 'lock_webhook',
  text: `select ${lockedTable.select()} from webhooks where id = $1 for update`,
};
const changeText = `
  update webhooks set url = coalesce($2, url), description = coalesce($3, description), kinds = coalesce($4::smallint[], kinds),
    events = coalesce($5::smallint[], events), version = version + 1, update_time = now() where id = $1`;
const deleteText = `
  update webhooks set state = 'deleted', secret = '', previous_secret = null, next_run_time = null, job_id = null, update_time = now()
  where id = $1`;
const rotateText = `
  update webhooks set secret = $2, previous_secret = $3,
    previous_secret_expire_time = case when $3::bytea is null then null else now() + make_interval(secs => $4::float8 / 1000) end,
    version = version + 1, update_time = now() where id = $1`;
const enableText = `
  update webhooks set state = 'enabled', disable_reason = '', disable_time = null, failures = 0, failing_since = null,
    version = version + 1, update_time = now()
  where id = $1 and state = 'disabled' returning id`;
const addTestText = `
  insert into webhook_deliveries (id, webhook_id, kind, task_version, event_id, message_id, body, state, attempts, next_attempt_time,
    create_time)
  values ($2, $1, 0, 0, 0, $3, $4, 'pending', 0, clock_timestamp(), now())`;
const wakeText = `
  update webhooks set next_run_time = least(coalesce(next_run_time, clock_timestamp()), clock_timestamp())
  where id = $1 and state = 'enabled'`;
const redeliverText = `
  update webhook_deliveries set state = 'pending', redelivery = true, first_attempt_time = null, next_attempt_time = clock_timestamp(),
    finish_time = null, last_error = ''
  where id = $2 and webhook_id = $1 returning id`;

export function createWebhookRepository(em: EntityManager): WebhookRepository {
  const run = <Row>(text: string, parameters: unknown[]): Promise<Row[]> => runStatement<Row>(em, text, parameters);
  const lock = async (statement: Statement, ...parameters: string[]): Promise<LockedWebhook | undefined> => {
    const [row] = await runStatement<RowOf<typeof lockedTable.columns>>(em, statement, parameters);
    return row && lockedTable.toValues(row);
  };
  return {
    countLocked: async (ownerId) => {
      await run('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`webhooks ${ownerId}`]);
      return (await run<{ count: number }>(countText, [ownerId]))[0]?.count ?? 0;
    },
    add: async (webhook) => {
      const createTime = await transactionTime(em);
      await insertRows(em, webhookTable, [{ ...untouched, ...webhook, createTime, updateTime: createTime }]);
    },
    lock: (ownerId, webhookId) => lock(lockOwn, webhookId, ownerId),
    change: async (webhookId, { url, description, kinds, events }) =>
      void (await run(changeText, [
        webhookId,
        url ?? null,
        description ?? null,
        kinds?.map(notificationKindToNumber) ?? null,
        events?.map(webhookMessageTypeToNumber) ?? null,
      ])),
    delete: async (webhookId) => void (await run(deleteText, [webhookId])),
    rotate: async (webhookId, { secret, previous, graceMs }) =>
      void (await run(rotateText, [webhookId, secret, graceMs === 0 ? null : previous, graceMs])),
    enable: async (webhookId) => (await run(enableText, [webhookId])).length > 0,
    addTest: async (webhookId, { deliveryId, messageId, body }) => {
      await run(addTestText, [webhookId, deliveryId, messageId, body]);
      await run(wakeText, [webhookId]);
    },
    stateOf: async (webhookId) => (await lock(lockAny, webhookId))?.state,
    redeliver: async (webhookId, deliveryId) => {
      const rows = await run(redeliverText, [webhookId, deliveryId]);
      await run(wakeText, [webhookId]);
      return rows.length === 1;
    },
  };
}
