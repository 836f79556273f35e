import { Migration } from '#libs/db';

/** Schedules of administrators, fire times in the database, and what administrators did. */
export class Schedules extends Migration {
  override up(): void {
    // Only built-in schedules are known to earlier releases, and those are declared anew at every start.
    this.addSql('delete from schedules');
    this.addSql('alter table schedules alter column interval_ms type bigint, alter column interval_ms drop not null');
    this.addSql(`
      alter table schedules
        add job text not null,
        add cron text null,
        add time_zone text null,
        add overlap_policy text not null,
        add catch_up_window_ms bigint not null,
        add built_in boolean not null,
        add creator_id uuid null,
        add create_time timestamptz(3) not null,
        add paused boolean not null,
        add next_fire_time timestamptz(3) null,
        add last_missed_time timestamptz(3) null`);
    this.addSql('create index schedules_due on schedules (next_fire_time) where next_fire_time is not null');

    this.addSql(`
      alter table schedule_runs
        alter column requested_by drop not null,
        add fire_time timestamptz(3) null,
        add planned_time timestamptz(3) null,
        add start_time timestamptz(3) null`);
    this.addSql('update schedule_runs set planned_time = create_time');
    this.addSql('alter table schedule_runs alter column planned_time set not null');
    this.addSql('alter table schedule_runs add constraint schedule_runs_fire_time unique (schedule_id, fire_time)');
    this.addSql(
      "create index schedule_runs_unfinished on schedule_runs (schedule_id, planned_time, id) where state = 'pending'",
    );
    this.addSql('create index schedule_runs_history on schedule_runs (schedule_id, planned_time, id)');

    this.addSql(`
      create table admin_actions (
        id uuid not null,
        actor_id uuid not null,
        action text not null,
        subject text not null,
        call_id text not null,
        create_time timestamptz(3) not null,
        constraint admin_actions_pkey primary key (id)
      )`);
    this.addSql('create index admin_actions_create_time on admin_actions (create_time)');
  }

  override down(): void {
    this.addSql('drop table admin_actions');
    this.addSql('drop index schedule_runs_history');
    this.addSql('drop index schedule_runs_unfinished');
    this.addSql('delete from schedule_runs where requested_by is null');
    this.addSql(
      'alter table schedule_runs drop constraint schedule_runs_fire_time, drop fire_time, drop planned_time, drop start_time, alter column requested_by set not null',
    );
    this.addSql('delete from schedules');
    this.addSql(`
      alter table schedules drop job, drop cron, drop time_zone, drop overlap_policy, drop catch_up_window_ms, drop built_in, drop creator_id,
        drop create_time, drop paused, drop next_fire_time, drop last_missed_time,
        alter column interval_ms type int, alter column interval_ms set not null`);
  }
}
