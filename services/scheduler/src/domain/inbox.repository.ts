import { afterCommit, runStatement, type EntityManager } from '#libs/db';
import { announce } from '#libs/events';

/** The channel that announces changes of inboxes to everybody who waits for them. */
export const inboxChannel = 'inbox_changes';

/** Which notifications are to be marked: some, or all that were delivered until a moment (undefined = until now). */
export type Marking = { ids: readonly string[] } | { until: Date | undefined };

export interface InboxRepository {
  /** Marks up to `limit` unread notifications in a user's inbox as read; returns how many. */
  markRead(recipientId: string, marking: Marking, limit: number): Promise<number>;
}

/* $1 recipient, $2 limit; the oldest first, so that what is left are the newest. */
const markText = (which: string): string => `
  update notifications n set read_time = now(), feed_transaction = pg_current_xact_id(), feed_number = unread.place
  from (
    select id, row_number() over (order by deliver_time, id) as place from (
      select id, deliver_time from notifications
      where recipient_id = $1 and state = 'delivered' and in_inbox and read_time is null and ${which}
      order by deliver_time, id limit $2 for update) locked) unread
  where n.id = unread.id returning n.id`;

const markSomeText = markText('id = any ($3::uuid[])');
const markAllText = markText("deliver_time <= coalesce($3::timestamptz, 'infinity')");

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
