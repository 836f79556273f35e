import { ConcurrentMigration } from '#libs/db';

const inProject = 'where project_id is not null';
/** Lists of projects. Tasks without one pay nothing. */
const ofTasks = {
  tasks_project_create: `(project_id, cell, create_time, id) ${inProject}`,
  tasks_project_update: `(project_id, cell, update_time, id) ${inProject}`,
  tasks_project_due: `(project_id, cell, due_time, id) ${inProject}`,
  tasks_project_title: `(project_id, cell, title collate "C", id) ${inProject}`,
  tasks_project_hand: `(project_id, cell, by_hand collate "C", id) ${inProject}`,
  tasks_project_words: `using gin (task_words(project_id, title, description)) ${inProject}`,
  tasks_project_facets: `using gin (task_facets(project_id, labels, assignee_id)) with (fastupdate = off) ${inProject}`,
};
/** For the sweep, which shares a batch between streams, and for counting what it has not reached in a project. */
const ofDues = {
  task_due_unmarked_by_stream: '(coalesce(project_id, owner_id), due_time, task_id) where overdue_time is null',
};

export class ProjectLists extends ConcurrentMigration {
  override up(): void {
    for (const [name, of] of Object.entries(ofTasks))
      this.addSql(`create index concurrently if not exists ${name} on tasks ${of}`);
    for (const [name, of] of Object.entries(ofDues))
      this.addSql(`create index concurrently if not exists ${name} on task_due ${of}`);
  }

  override down(): void {
    for (const name of [...Object.keys(ofTasks), ...Object.keys(ofDues)])
      this.addSql(`drop index concurrently if exists ${name}`);
  }
}
