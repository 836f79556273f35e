import { idempotencyTable, Migration } from '#libs/db';

export class RequestIds extends Migration {
  override up(): void {
    this.addSql(idempotencyTable.up);
  }

  override down(): void {
    this.addSql(idempotencyTable.down);
  }
}
