import { Migration } from '#libs/db';

export class Projects extends Migration {
  override up(): void {
    this.addSql(`
      create table projects (
        id uuid not null,
        key text not null,
        name text not null,
        description text not null,
        color text not null,
        member_count integer not null,
        version bigint not null,
        create_time timestamptz(3) not null,
        update_time timestamptz(3) not null,
        archive_time timestamptz(3) null,
        delete_time timestamptz(3) null,
        purge_time timestamptz(3) null,
        constraint projects_pkey primary key (id)
      )`);
    this.addSql('create index projects_by_time on projects (create_time, id)');
    this.addSql('create index projects_purge on projects (purge_time) where purge_time is not null');
    this.addSql(`
      create table project_members (
        project_id uuid not null,
        user_id uuid not null,
        role smallint not null,
        version bigint not null,
        create_time timestamptz(3) not null,
        update_time timestamptz(3) not null,
        constraint project_members_pkey primary key (project_id, user_id)
      )`);
    this.addSql('create index project_members_person on project_members (user_id, project_id)');
    this.addSql('create index project_members_by_time on project_members (project_id, create_time, user_id)');
  }

  override down(): void {
    this.addSql('drop table project_members');
    this.addSql('drop table projects');
  }
}
