import { auditTables } from '#libs/audit';
import { Migration } from '#libs/db';

export class AuditLog extends Migration {
  override up(): void {
    for (const statement of auditTables.up) this.addSql(statement);
  }

  override down(): void {
    for (const statement of auditTables.down) this.addSql(statement);
  }
}
