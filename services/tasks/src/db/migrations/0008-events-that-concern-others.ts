import { Migration } from '#libs/db';
import { eventLogTables } from '#libs/events';

/** Only adds, without touching a row: events that are there, or that a release before writes, have null. */
export class EventsThatConcernOthers extends Migration {
  override up(): void {
    this.addSql(eventLogTables.concern.up);
  }

  override down(): void {
    this.addSql(eventLogTables.concern.down);
  }
}
