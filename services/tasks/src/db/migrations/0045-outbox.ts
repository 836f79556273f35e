import { Migration } from '#libs/db';
import { outboxTable } from '#libs/events';

/** Calls to other services that must happen because of a transaction: mails of invitations. */
export class Outbox extends Migration {
  override up(): void {
    this.addSql(outboxTable.up);
    this.addSql(outboxTable.origin.up);
  }

  override down(): void {
    this.addSql(outboxTable.down);
  }
}
