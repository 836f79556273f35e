import { ConcurrentMigration } from '#libs/db';

const indexes = {
  tasks_owned_in_projects: '(owner_id, cell, due_time) where project_id is not null and delete_time is null',
  tasks_assigned_in_projects:
    '(assignee_id, cell, due_time) where project_id is not null and delete_time is null and assignee_id <> owner_id',
};

/** For counting everything that a person may see. Tasks without a project pay nothing. */
export class OwnTasksInProjects extends ConcurrentMigration {
  override up(): void {
    for (const [name, of] of Object.entries(indexes))
      this.addSql(`create index concurrently if not exists ${name} on tasks ${of}`);
  }

  override down(): void {
    for (const name of Object.keys(indexes)) this.addSql(`drop index concurrently if exists ${name}`);
  }
}
