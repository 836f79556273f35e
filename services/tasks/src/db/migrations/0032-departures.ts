import { Migration } from '#libs/db';

/** Who has left a project and still owns tasks in it, or is assigned to some. */
export class Departures extends Migration {
  override up(): void {
    this.addSql(`
      create table project_departures (
        project_id uuid not null,
        user_id uuid not null,
        removed_by uuid null,
        create_time timestamptz(3) not null,
        constraint project_departures_pkey primary key (project_id, user_id)
      )`);
    this.addSql('create index project_departures_person on project_departures (user_id, project_id)');
    this.addSql('create index project_departures_by_time on project_departures (create_time)');
  }

  override down(): void {
    this.addSql('drop table project_departures');
  }
}
