import { removeRequestsOf, runStatement, type EntityManager } from '#libs/db';
import type { RemovedUserRepository } from '../../domain/notifications/removed-user.repository.ts';

const addText = 'insert into removed_users (id, remove_time) values ($1, now()) on conflict (id) do nothing';
const findText = 'select id from removed_users where id = any ($1::uuid[])';

/** With deliveries and mails, which are looked up by the notification. */
const removeNotifications = (ids: string): string => `
  with gone as (delete from notifications where id = any (array(${ids})) returning id),
    deliveries_gone as (delete from deliveries using gone where deliveries.notification_id = gone.id),
    mails_gone as (delete from mails using gone where mails.notification_id = gone.id)
  select count(*)::int as count from gone`;

/** Each part has an index. What is left after them is rare, and found by reading the whole table. */
const removeIndexed = removeNotifications(`
  (select id from notifications where recipient_id = $1 and state = 'pending' limit $2)
  union all
  (select id from notifications where recipient_id = $1 and state = 'delivered' and in_inbox limit $2)`);
const removeOthers = removeNotifications('select id from notifications where recipient_id = $1 limit $2');

const removeWebhookDeliveries = `
  with gone as (
    delete from webhook_deliveries where id = any (array(
      select d.id from webhooks w join webhook_deliveries d on d.webhook_id = w.id where w.owner_id = $1 limit $2))
    returning id),
  attempts_gone as (delete from webhook_attempts using gone where webhook_attempts.delivery_id = gone.id)
  select count(*)::int as count from gone`;
const removeWebhooks = 'delete from webhooks where owner_id = $1';
const removeMails = 'delete from mails where recipient_id = $1';

/** Those of the users whose accounts were removed. */
export async function findRemoved(em: EntityManager, userIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await runStatement<{ id: string }>(em, { name: 'find_removed_users', text: findText }, [userIds]);
  return new Set(rows.map(({ id }) => id));
}

export function createRemovedUserRepository(em: EntityManager): RemovedUserRepository {
  const remove = async (text: string, userId: string, limit: number): Promise<number> =>
    (await runStatement<{ count: number }>(em, text, [userId, limit]))[0]?.count ?? 0;
  return {
    add: async (userId) => void (await runStatement(em, addText, [userId])),
    removeBatch: async (userId, limit) => {
      for (const text of [removeIndexed, removeWebhookDeliveries])
        if ((await remove(text, userId, limit)) > 0) return true;
      if ((await remove(removeOthers, userId, limit)) === limit) return true;
      for (const text of [removeWebhooks, removeMails]) await runStatement(em, text, [userId]);
      await removeRequestsOf(em, userId);
      return false;
    },
  };
}
