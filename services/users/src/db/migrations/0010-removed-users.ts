import { Migration } from '#libs/db';

/** Whose profiles were removed: a copy of the account that comes late makes none again. */
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
