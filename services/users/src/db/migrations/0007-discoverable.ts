import { ConcurrentMigration } from '#libs/db';

// The index is for lists of rare kinds, such as administrators and disabled accounts.
export class Discoverable extends ConcurrentMigration {
  override up(): void {
    this.addSql('alter table profiles add column if not exists discoverable boolean');
    this.addSql(
      'create index concurrently if not exists profiles_kind_idx on profiles (role, enabled, create_time, id)',
    );
  }

  override down(): void {
    this.addSql('drop index concurrently if exists profiles_kind_idx');
    this.addSql('alter table profiles drop column if exists discoverable');
  }
}
