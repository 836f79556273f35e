import { afterCommit, runStatement, type EntityManager } from '#libs/db';
import { announce } from '#libs/events';
import type { RemovedTask } from '../../domain/notifications/removed-task.ts';
import type { RemovedTaskRepository } from '../../domain/notifications/removed-task.repository.ts';
import { inboxChannel } from './inbox.repository.ts';

/*
 * One part for each index. Whoever watches the inbox is told. What a webhook was to be sent has nothing to say any more;
 * what it was sent is forgotten, and a redelivery writes it anew. A message about a digest has no title.
 */
const eraseText = `
  with gone as (select * from unnest($1::uuid[], $2::uuid[]) as g (recipient_id, task_id)),
  found as (
    select n.id from gone g join notifications n on (n.recipient_id, n.task_id) = (g.recipient_id, g.task_id) and n.kind in (2, 3)
    union all
    select n.id from gone g join notifications n on (n.recipient_id, n.task_id) = (g.recipient_id, g.task_id) and n.kind = 1
    union all
    select n.id from gone g join notifications n on (n.recipient_id, n.task_id) = (g.recipient_id, g.task_id) and n.kind in (10, 11)),
  locked as (
    select id from notifications where id = any (array(select id from found)) and task_title <> '' order by id for update),
  placed as (select id, row_number() over (order by id) as place from locked),
  erased as (
    update notifications n set task_title = '',
      feed_transaction = case when n.state = 'delivered' and n.in_inbox then pg_current_xact_id() else n.feed_transaction end,
      feed_number = case when n.state = 'delivered' and n.in_inbox then placed.place else n.feed_number end,
      feed_incarnation = case when n.state = 'delivered' and n.in_inbox then log_incarnation() else n.feed_incarnation end
    from placed where n.id = placed.id returning n.id, n.digest_size),
  forgotten as (
    update webhook_deliveries d set body = null, next_attempt_time = null, finish_time = coalesce(d.finish_time, now()),
      state = case when d.state = 'pending' then 'stale' else d.state end
    from erased where d.notification_id = erased.id and erased.digest_size = 0 returning 1),
  unsaid as (
    update webhook_deliveries d set body = null, next_attempt_time = null, finish_time = coalesce(d.finish_time, now()),
      state = case when d.state = 'pending' then 'stale' else d.state end
    from gone g join webhooks w on w.owner_id = g.recipient_id
    where d.webhook_id = w.id and d.subject_id = g.task_id returning 1)
  select count(*)::int as count from erased`;

export function createRemovedTaskRepository(em: EntityManager): RemovedTaskRepository {
  return {
    erase: async (tasks: readonly RemovedTask[]) => {
      const parameters = [tasks.map(({ recipientId }) => recipientId), tasks.map(({ taskId }) => taskId)];
      const [row] = await runStatement<{ count: number }>(em, eraseText, parameters);
      if ((row?.count ?? 0) > 0) afterCommit(em, () => announce(em, inboxChannel));
    },
  };
}
