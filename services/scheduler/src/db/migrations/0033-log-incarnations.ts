import { Migration } from '#libs/db';
import { cursorTable, logIncarnations } from '#libs/events';

const incarnations = logIncarnations({ table: 'notifications', transactionColumn: 'feed_transaction' });

/** Only adds: what a release before writes has no incarnation, and is told in any. */
export class LogIncarnations extends Migration {
  override up(): void {
    this.addSql(cursorTable.incarnation.up);
    this.addSql('alter table notifications add column feed_incarnation bigint null');
    this.addSql(incarnations.up);
  }

  override down(): void {
    this.addSql(incarnations.down);
    this.addSql('alter table notifications drop column feed_incarnation');
    this.addSql(cursorTable.incarnation.down);
  }
}
