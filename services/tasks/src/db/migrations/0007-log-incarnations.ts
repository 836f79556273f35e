import { Migration } from '#libs/db';
import { logIncarnations } from '#libs/events';

const incarnations = logIncarnations({ table: 'events', transactionColumn: 'transaction_id', idColumn: 'id' });

/** Only adds: a release before writes on into the incarnation that is there. */
export class LogIncarnations extends Migration {
  override up(): void {
    this.addSql(incarnations.up);
  }

  override down(): void {
    this.addSql(incarnations.down);
  }
}
