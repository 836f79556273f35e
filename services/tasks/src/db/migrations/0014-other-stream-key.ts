import { ConcurrentMigration } from '#libs/db';
import { eventLogTables } from '#libs/events';

export class OtherStreamKey extends ConcurrentMigration {
  override up(): void {
    this.addSql(`create unique index concurrently if not exists ${eventLogTables.otherStream.index}`);
  }

  override down(): void {
    this.addSql('drop index concurrently if exists events_other_stream_key');
  }
}
