import { ConcurrentMigration } from '#libs/db';

/** The messages that hold texts of a task's comments, to take the text of a deleted one out of them. */
export class WebhookComments extends ConcurrentMigration {
  override up(): void {
    this.addSql(
      'create index concurrently if not exists webhook_deliveries_comments on webhook_deliveries (subject_id) where event_type in (12, 13)',
    );
  }

  override down(): void {
    this.addSql('drop index concurrently if exists webhook_deliveries_comments');
  }
}
