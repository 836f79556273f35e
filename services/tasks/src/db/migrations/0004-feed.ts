import { Migration } from '#libs/db';
import { eventFeedTables } from '#libs/events';

export class Feed extends Migration {
  override up(): void {
    this.addSql(eventFeedTables.up);
  }

  override down(): void {
    this.addSql(eventFeedTables.down);
  }
}
