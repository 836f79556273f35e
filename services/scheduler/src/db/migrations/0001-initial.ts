import { idempotencyTable, Migration } from '#libs/db';
import { cursorTable } from '#libs/events';

export class Initial extends Migration {
  override up(): void {
    this.addSql(`
      create table notifications (
        id uuid not null,
        recipient_id uuid not null,
        event_id bigint not null,
        kind smallint not null,
        task_id uuid not null,
        task_title text not null,
        due_time timestamptz(3) null,
        due_version bigint not null,
        task_version bigint not null,
        previous_status smallint not null,
        status smallint not null,
        actor text not null,
        call_id text not null,
        trace_parent text not null,
        event_time timestamptz(3) not null,
        state text not null,
        job_id text null,
        enqueue_time timestamptz(3) null,
        deliver_time timestamptz(3) null,
        create_time timestamptz(3) not null,
        constraint notifications_pkey primary key (id),
        constraint notifications_event_recipient unique (event_id, recipient_id)
      )`);
    this.addSql(
      "create index notifications_inbox on notifications (recipient_id, deliver_time, id) where state = 'delivered'",
    );
    this.addSql("create index notifications_pending on notifications (job_id, id) where state = 'pending'");

    this.addSql(`
      create table deliveries (
        notification_id uuid not null,
        channel text not null,
        outcome text not null,
        attempts int not null,
        error text not null,
        create_time timestamptz(3) not null,
        constraint deliveries_pkey primary key (notification_id, channel)
      )`);

    this.addSql(`
      create table schedules (
        id text not null,
        description text not null,
        interval_ms int not null,
        last_run_time timestamptz(3) null,
        last_result text not null,
        last_run_failed boolean not null,
        constraint schedules_pkey primary key (id)
      )`);
    this.addSql(`
      create table schedule_runs (
        id uuid not null,
        schedule_id text not null,
        requested_by uuid not null,
        call_id text not null,
        trace_parent text not null,
        state text not null,
        job_id text null,
        enqueue_time timestamptz(3) null,
        result text not null,
        create_time timestamptz(3) not null,
        finish_time timestamptz(3) null,
        constraint schedule_runs_pkey primary key (id)
      )`);
    this.addSql("create index schedule_runs_pending on schedule_runs (job_id, id) where state = 'pending'");

    this.addSql(`
      create table dead_letters (
        id uuid not null,
        queue text not null,
        name text not null,
        job_id text not null,
        payload jsonb not null,
        error text not null,
        attempts int not null,
        call_id text not null,
        create_time timestamptz(3) not null,
        constraint dead_letters_pkey primary key (id),
        constraint dead_letters_job unique (queue, job_id)
      )`);

    this.addSql(cursorTable.up);
    this.addSql(idempotencyTable.up);
  }

  override down(): void {
    this.addSql(idempotencyTable.down);
    this.addSql(cursorTable.down);
    for (const table of ['dead_letters', 'schedule_runs', 'schedules', 'deliveries', 'notifications'])
      this.addSql(`drop table ${table}`);
  }
}
