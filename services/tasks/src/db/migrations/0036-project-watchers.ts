import { Migration } from '#libs/db';

export class ProjectWatchers extends Migration {
  override up(): void {
    this.addSql(`
      create table project_watchers (
        project_id uuid not null,
        user_id uuid not null,
        create_time timestamptz(3) not null,
        constraint project_watchers_pkey primary key (project_id, user_id)
      )`);
    this.addSql('create index project_watchers_of_user on project_watchers (user_id, project_id)');
  }

  override down(): void {
    this.addSql('drop table project_watchers');
  }
}
