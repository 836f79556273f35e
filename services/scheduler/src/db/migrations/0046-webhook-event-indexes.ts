import { ConcurrentMigration } from '#libs/db';

/** One message for each change and replay, the order of a subject, and the webhooks of a reader. */
export class WebhookEventIndexes extends ConcurrentMigration {
  override up(): void {
    this.addSql(
      'create unique index concurrently if not exists webhook_deliveries_event on webhook_deliveries (webhook_id, replay, event_id) where subject_id is not null',
    );
    this.addSql(
      'create index concurrently if not exists webhook_deliveries_subject on webhook_deliveries (webhook_id, subject_id, event_id) where subject_id is not null',
    );
    this.addSql(
      "create index concurrently if not exists webhooks_of_reader on webhooks (coalesce(project_id, owner_id)) where state = 'enabled' and events <> '{}'",
    );
  }

  override down(): void {
    this.addSql('drop index concurrently if exists webhook_deliveries_event');
    this.addSql('drop index concurrently if exists webhook_deliveries_subject');
    this.addSql('drop index concurrently if exists webhooks_of_reader');
  }
}
