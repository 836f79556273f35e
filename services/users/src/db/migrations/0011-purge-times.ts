import { Migration } from '#libs/db';

// Only adds: the version before goes on reading and writing while this is rolled out.
export class PurgeTimes extends Migration {
  override up(): void {
    this.addSql('alter table profiles add column purge_time timestamptz(3) null');
  }

  override down(): void {
    this.addSql('alter table profiles drop column purge_time');
  }
}
