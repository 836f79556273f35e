import { Migration } from '#libs/db';

/** Only adds, without touching a row: a task in no project has null. */
export class TasksInProjects extends Migration {
  override up(): void {
    this.addSql(
      'alter table tasks add column project_id uuid null, add column number bigint null, add column key text null',
    );
    this.addSql('alter table projects add column last_number bigint not null default 0');
  }

  override down(): void {
    this.addSql('alter table projects drop column last_number');
    this.addSql('alter table tasks drop column project_id, drop column number, drop column key');
  }
}
