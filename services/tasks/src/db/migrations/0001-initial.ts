import { idempotencyTable, Migration } from '#libs/db';
import { eventLogTables } from '#libs/events';

export class Initial extends Migration {
  override up(): void {
    this.addSql(`
      create table tasks (
        id uuid not null,
        owner_id uuid not null,
        assignee_id uuid null,
        title text not null,
        description text not null,
        status smallint not null,
        priority smallint not null,
        due_time timestamptz(3) null,
        due_version bigint not null,
        overdue_version bigint null,
        labels text[] not null,
        external_id text null,
        version bigint not null,
        create_time timestamptz(3) not null,
        update_time timestamptz(3) not null,
        complete_time timestamptz(3) null,
        delete_time timestamptz(3) null,
        constraint tasks_pkey primary key (id)
      )`);
    this.addSql('create unique index tasks_external_id on tasks (owner_id, external_id) where delete_time is null');
    this.addSql('create index tasks_owned on tasks (owner_id, create_time, id) where delete_time is null');
    this.addSql(
      'create index tasks_owned_by_state on tasks (owner_id, status, priority, create_time, id) where delete_time is null',
    );
    this.addSql(
      'create index tasks_assigned on tasks (assignee_id, create_time, id) where delete_time is null and assignee_id <> owner_id',
    );
    this.addSql(`
      create index tasks_assigned_by_state on tasks (assignee_id, status, priority, create_time, id)
      where delete_time is null and assignee_id <> owner_id`);

    this.addSql(`
      create table task_due (
        task_id uuid not null,
        owner_id uuid not null,
        assignee_id uuid null,
        due_time timestamptz(3) not null,
        due_version bigint not null,
        overdue_time timestamptz(3) null,
        constraint task_due_pkey primary key (task_id)
      )`);
    this.addSql('create index task_due_unmarked on task_due (due_time, task_id) where overdue_time is null');
    this.addSql(
      'create index task_due_unmarked_by_owner on task_due (owner_id, due_time, task_id) where overdue_time is null',
    );
    this.addSql('create index task_due_owned on task_due (owner_id, due_time)');
    this.addSql('create index task_due_assigned on task_due (assignee_id, due_time) where assignee_id <> owner_id');

    this.addSql(eventLogTables.up);
    this.addSql(idempotencyTable.up);
  }

  override down(): void {
    this.addSql(idempotencyTable.down);
    this.addSql(eventLogTables.down);
    this.addSql('drop table task_due');
    this.addSql('drop table tasks');
  }
}
