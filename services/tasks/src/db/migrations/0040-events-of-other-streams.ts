import { eventLogTables } from '#libs/events';
import { ConcurrentMigration } from '#libs/db';

/** The removal of an account asks which events stand in its stream; those of moves stand in two. */
export class EventsOfOtherStreams extends ConcurrentMigration {
  override up(): void {
    this.addSql(eventLogTables.otherStreamIndex.up);
  }

  override down(): void {
    this.addSql(eventLogTables.otherStreamIndex.down);
  }
}
