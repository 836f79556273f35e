import { Migration } from '#libs/db';

/** Webhooks that read the log of tasks, and what they are sent of it. */
export class WebhookEvents extends Migration {
  override up(): void {
    this.addSql(`
      alter table webhooks
        add column events smallint[] not null default '{}',
        add column project_id uuid null,
        add column log_incarnation bigint null,
        add column log_transaction bigint null,
        add column log_event bigint null,
        add column replays int not null default 0,
        add column unread boolean not null default false,
        add column settle_time timestamptz(3) null`);
    this.addSql(`
      alter table webhook_deliveries
        add column event_type smallint null,
        add column project_id uuid null,
        add column subject_id uuid null,
        add column replay int null,
        add column log_incarnation bigint null,
        add column log_transaction bigint null`);
  }

  override down(): void {
    this.addSql(`
      alter table webhook_deliveries
        drop column event_type, drop column project_id, drop column subject_id, drop column replay,
        drop column log_incarnation, drop column log_transaction`);
    this.addSql(`
      alter table webhooks
        drop column events, drop column project_id, drop column log_incarnation, drop column log_transaction,
        drop column log_event, drop column replays, drop column unread, drop column settle_time`);
  }
}
