import { Migration } from '#libs/db';
import { outboxTable } from '#libs/events';

/** With defaults, so that the release before goes on writing entries. */
export class OutboxOrigin extends Migration {
  override up(): void {
    this.addSql(outboxTable.origin.up);
  }

  override down(): void {
    this.addSql(outboxTable.origin.down);
  }
}
