import { Migration } from '#libs/db';

/** Due rows of archived and deleted projects. Only adds; no row is written. */
export class DueRowsSetAside extends Migration {
  override up(): void {
    this.addSql('alter table task_due add column set_aside boolean not null default false');
  }

  override down(): void {
    this.addSql('alter table task_due drop column set_aside');
  }
}
