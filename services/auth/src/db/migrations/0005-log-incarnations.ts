import { Migration } from '#libs/db';
import { logIncarnations } from '#libs/events';

const incarnations = logIncarnations({ table: 'revocations', transactionColumn: 'transaction_id', idColumn: 'id' });

/** Revocations are a log too: who follows it must notice that it was put back. */
export class LogIncarnations extends Migration {
  override up(): void {
    this.addSql(incarnations.up);
  }

  override down(): void {
    this.addSql(incarnations.down);
  }
}
