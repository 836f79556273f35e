import { Migration } from '#libs/db';
import { eventLogTables } from '#libs/events';

/** Only adds, without touching a row: an event of one stream has null. */
export class EventsInTwoStreams extends Migration {
  override up(): void {
    this.addSql(eventLogTables.otherStream.up);
  }

  override down(): void {
    this.addSql(eventLogTables.otherStream.down);
  }
}
