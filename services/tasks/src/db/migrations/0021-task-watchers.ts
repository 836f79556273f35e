import { Migration } from '#libs/db';

export class TaskWatchers extends Migration {
  override up(): void {
    this.addSql(`
      create table task_watchers (
        task_id uuid not null,
        user_id uuid not null,
        watching boolean not null,
        create_time timestamptz(3) not null,
        constraint task_watchers_pkey primary key (task_id, user_id)
      )`);
    this.addSql('create index task_watchers_of_user on task_watchers (user_id, task_id)');
  }

  override down(): void {
    this.addSql('drop table task_watchers');
  }
}
