import { Migration } from '#libs/db';

export class DueDaysAndPurge extends Migration {
  override up(): void {
    this.addSql('alter table tasks add due_date date null, add due_zone text null, add purge_time timestamptz(3) null');
    // Deleted before there was a retention: these have the default one.
    this.addSql(`update tasks set purge_time = delete_time + interval '30 days' where delete_time is not null`);
    this.addSql('create index tasks_purge on tasks (purge_time) where purge_time is not null');
  }

  override down(): void {
    this.addSql('drop index tasks_purge');
    this.addSql('alter table tasks drop due_date, drop due_zone, drop purge_time');
  }
}
