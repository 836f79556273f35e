import { Migration } from '#libs/db';

export class FinishedWebhookDeliveries extends Migration {
  override up(): void {
    this.addSql(
      'create index webhook_deliveries_finished on webhook_deliveries (finish_time) where finish_time is not null',
    );
  }

  override down(): void {
    this.addSql('drop index webhook_deliveries_finished');
  }
}
