import { Migration } from '#libs/db';

/** Whose accounts were removed: an event that is read late makes no notification for them. */
export class RemovedUsers extends Migration {
  override up(): void {
    this.addSql(
      'create table removed_users (id uuid not null, remove_time timestamptz(3) not null, constraint removed_users_pkey primary key (id))',
    );
  }

  override down(): void {
    this.addSql('drop table removed_users');
  }
}
