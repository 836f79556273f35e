import { Migration } from '#libs/db';

/** What administrators do to jobs, and what is known of jobs that have ended. */
export class JobControl extends Migration {
  override up(): void {
    this.addSql(`
      create table queue_holds (
        queue text not null,
        held_by uuid not null,
        hold_time timestamptz(3) not null,
        constraint queue_holds_pkey primary key (queue)
      )`);
    this.addSql(`
      alter table dead_letters
        add column failures jsonb not null default '[]',
        add column state text not null default 'open',
        add column settle_time timestamptz(3) null,
        add column settled_by uuid null`);
    this.addSql("create index dead_letters_open on dead_letters (id) where state = 'open'");
    this.addSql("create index notifications_job on notifications (job_id) where state <> 'pending'");
    this.addSql("create index schedule_runs_job on schedule_runs (job_id) where state <> 'pending'");
  }

  override down(): void {
    for (const index of ['schedule_runs_job', 'notifications_job', 'dead_letters_open'])
      this.addSql(`drop index ${index}`);
    this.addSql(
      'alter table dead_letters drop column failures, drop column state, drop column settle_time, drop column settled_by',
    );
    this.addSql('drop table queue_holds');
  }
}
