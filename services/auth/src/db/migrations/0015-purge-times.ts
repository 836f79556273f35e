import { ConcurrentMigration } from '#libs/db';

export class PurgeTimes extends ConcurrentMigration {
  override up(): void {
    this.addSql(
      'create index concurrently if not exists accounts_purge_time_idx on accounts (purge_time) where (purge_time is not null)',
    );
  }

  override down(): void {
    this.addSql('drop index concurrently if exists accounts_purge_time_idx');
  }
}
