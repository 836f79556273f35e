import { afterCommit, runStatement, type EntityManager } from '#libs/db';
import { announce } from '#libs/events';
import type { InboxRepository } from '../../domain/notifications/inbox.repository.ts';

/** The PostgreSQL channel that announces changes of inboxes. */
export const inboxChannel = 'inbox_changes';

/* $1 recipient, $2 limit; the oldest first, so that only the newest remain. */
const markText = (which: string): string => `
  update notifications n set read_time = now(), feed_transaction = pg_current_xact_id(), feed_number = unread.place,
    feed_incarnation = (select log_incarnation())
  from (
    select id, row_number() over (order by deliver_time, id) as place from (
      select id, deliver_time from notifications
      where recipient_id = $1 and state = 'delivered' and in_inbox and read_time is null and ${which}
      order by deliver_time, id limit $2 for update) locked) unread
  where n.id = unread.id returning n.id`;

const markSomeText = markText('id = any ($3::uuid[])');
const markAllText = markText("deliver_time < coalesce($3::timestamptz, 'infinity')");

export function createInboxRepository(em: EntityManager): InboxRepository {
  return {
    markRead: async (recipientId, marking, limit) => {
      const [text, which] = 'ids' in marking ? [markSomeText, marking.ids] : [markAllText, marking.until ?? null];
      const rows = await runStatement(em, text, [recipientId, limit, which]);
      if (rows.length > 0) afterCommit(em, () => announce(em, inboxChannel));
      return rows.length;
    },
  };
}
