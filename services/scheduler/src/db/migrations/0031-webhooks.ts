import { Migration } from '#libs/db';

export class Webhooks extends Migration {
  override up(): void {
    this.addSql(`
      create table webhooks (
        id uuid not null,
        owner_id uuid not null,
        url text not null,
        description text not null,
        kinds smallint[] not null,
        state text not null,
        disable_reason text not null,
        disable_time timestamptz(3) null,
        secret bytea not null,
        previous_secret bytea null,
        previous_secret_expire_time timestamptz(3) null,
        version bigint not null,
        create_time timestamptz(3) not null,
        update_time timestamptz(3) not null,
        failures int not null,
        failing_since timestamptz(3) null,
        last_success_time timestamptz(3) null,
        next_run_time timestamptz(3) null,
        job_id text null,
        enqueue_time timestamptz(3) null,
        constraint webhooks_pkey primary key (id)
      )`);
    this.addSql("create index webhooks_of_owner on webhooks (owner_id, id) where state <> 'deleted'");
    this.addSql(
      "create index webhooks_due on webhooks (next_run_time, id) where state = 'enabled' and job_id is null and next_run_time is not null",
    );
    this.addSql('create index webhooks_running on webhooks (job_id) where job_id is not null');
    this.addSql("create index webhooks_deleted on webhooks (id) where state = 'deleted'");

    this.addSql(`
      create table webhook_deliveries (
        id uuid not null,
        webhook_id uuid not null,
        notification_id uuid null,
        kind smallint not null,
        task_id uuid null,
        task_version bigint not null,
        event_id bigint not null,
        message_id text not null,
        body text null,
        state text not null,
        attempts int not null,
        first_attempt_time timestamptz(3) null,
        next_attempt_time timestamptz(3) null,
        redelivery boolean not null default false,
        last_status_code int null,
        last_error text not null default '',
        create_time timestamptz(3) not null,
        finish_time timestamptz(3) null,
        constraint webhook_deliveries_pkey primary key (id),
        constraint webhook_deliveries_notification unique (notification_id, webhook_id)
      )`);
    this.addSql('create index webhook_deliveries_log on webhook_deliveries (webhook_id, create_time, id)');
    this.addSql(
      "create index webhook_deliveries_due on webhook_deliveries (webhook_id, next_attempt_time) where state = 'pending'",
    );
    this.addSql(
      'create index webhook_deliveries_task on webhook_deliveries (webhook_id, task_id, task_version) where task_id is not null',
    );

    this.addSql(`
      create table webhook_attempts (
        delivery_id uuid not null,
        number int not null,
        start_time timestamptz(3) not null,
        duration_ms int null,
        status_code int null,
        error text not null,
        constraint webhook_attempts_pkey primary key (delivery_id, number)
      )`);
  }

  override down(): void {
    for (const table of ['webhook_attempts', 'webhook_deliveries', 'webhooks']) this.addSql(`drop table ${table}`);
  }
}
