import { Migration } from '#libs/db';

/** Notifications may wait for the hour at which their recipients want them. */
export class OverdueHour extends Migration {
  override up(): void {
    this.addSql('alter table notifications add deliver_after timestamptz(3) not null default now()');
    this.addSql(
      "create index notifications_unclaimed on notifications (deliver_after, id) where state = 'pending' and job_id is null",
    );
  }

  override down(): void {
    this.addSql('drop index notifications_unclaimed');
    this.addSql('alter table notifications drop deliver_after');
  }
}
