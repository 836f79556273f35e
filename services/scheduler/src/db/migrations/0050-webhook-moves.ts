import { Migration } from '#libs/db';

/** A task that has moved shows what it was in another project. */
export class WebhookMoves extends Migration {
  override up(): void {
    this.addSql('alter table webhook_deliveries add column other_project_id uuid null');
  }

  override down(): void {
    this.addSql('alter table webhook_deliveries drop column other_project_id');
  }
}
