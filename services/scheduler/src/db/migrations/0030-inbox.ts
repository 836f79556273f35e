import { Migration } from '#libs/db';

export class Inbox extends Migration {
  override up(): void {
    this.addSql(`
      alter table notifications
        alter column event_id drop not null,
        alter column task_id drop not null,
        add column in_inbox boolean not null default true,
        add column read_time timestamptz(3) null,
        add column digest_id uuid null,
        add column digest_size int not null default 0,
        add column digest_time timestamptz(3) null,
        add column webhook_id uuid null,
        add column feed_transaction xid8 null,
        add column feed_number int null`);
    this.addSql('drop index notifications_inbox');
    this.addSql(
      "create index notifications_inbox on notifications (recipient_id, deliver_time, id) where state = 'delivered' and in_inbox",
    );
    this.addSql(
      "create index notifications_unread on notifications (recipient_id, deliver_time, id) where state = 'delivered' and in_inbox and read_time is null",
    );
    this.addSql(
      'create index notifications_feed on notifications (feed_transaction, feed_number) where feed_transaction is not null',
    );
    this.addSql(
      'create index notifications_feed_of_user on notifications (recipient_id, feed_transaction, feed_number) where feed_transaction is not null',
    );
    this.addSql(
      "create index notifications_pending_of_user on notifications (recipient_id, task_id, event_id) where state = 'pending'",
    );
    this.addSql(
      'create index notifications_changes on notifications (recipient_id, task_id, task_version) where kind in (2, 3)',
    );
    this.addSql('create index notifications_digest on notifications (digest_id, id) where digest_id is not null');
    this.addSql(
      'create index notifications_digests_of_user on notifications (recipient_id, digest_time) where digest_time is not null',
    );
  }

  override down(): void {
    for (const index of [
      'digests_of_user',
      'digest',
      'changes',
      'pending_of_user',
      'feed_of_user',
      'feed',
      'unread',
      'inbox',
    ])
      this.addSql(`drop index notifications_${index}`);
    this.addSql('delete from notifications where event_id is null or task_id is null');
    this.addSql(`
      alter table notifications
        alter column event_id set not null,
        alter column task_id set not null,
        drop column in_inbox,
        drop column read_time,
        drop column digest_id,
        drop column digest_size,
        drop column digest_time,
        drop column webhook_id,
        drop column feed_transaction,
        drop column feed_number`);
    this.addSql(
      "create index notifications_inbox on notifications (recipient_id, deliver_time, id) where state = 'delivered'",
    );
  }
}
