import { Migration } from '#libs/db';

/** From where on in the log a project's events count for a member. The members of before have no row that others read. */
export class Joining extends Migration {
  override up(): void {
    this.addSql(
      'alter table project_members add column join_transaction xid8 null, add column join_incarnation bigint null',
    );
    this.addSql(
      'alter table project_members alter column join_transaction set default pg_current_xact_id(), alter column join_incarnation set default log_incarnation()',
    );
  }

  override down(): void {
    this.addSql('alter table project_members drop column join_transaction, drop column join_incarnation');
  }
}
