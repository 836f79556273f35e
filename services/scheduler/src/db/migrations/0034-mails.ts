import { Migration } from '#libs/db';

export class Mails extends Migration {
  override up(): void {
    this.addSql(`
      create table mails (
        id uuid not null,
        kind smallint not null,
        notification_id uuid null,
        recipient_id uuid null,
        state text not null,
        attempts int not null default 0,
        last_code int null,
        last_error text not null default '',
        attempt_time timestamptz(3) null,
        first_attempt_time timestamptz(3) null,
        next_attempt_time timestamptz(3) null,
        job_id text null,
        enqueue_time timestamptz(3) null,
        call_id text not null,
        trace_parent text not null,
        create_time timestamptz(3) not null,
        finish_time timestamptz(3) null,
        constraint mails_pkey primary key (id),
        constraint mails_notification unique (notification_id)
      )`);
    this.addSql(
      "create index mails_due on mails (next_attempt_time, id) where state in ('pending', 'in-doubt') and job_id is null",
    );
    this.addSql('create index mails_running on mails (job_id) where job_id is not null');
    this.addSql(
      "create index mails_of_recipient on mails (recipient_id, finish_time) where state = 'sent' or attempt_time is not null",
    );
    this.addSql('create index mails_finished on mails (finish_time) where finish_time is not null');
  }

  override down(): void {
    this.addSql('drop table mails');
  }
}
