import { ConcurrentMigration } from '#libs/db';

const assigned = 'where delete_time is null and assignee_id <> owner_id';
const added = {
  tasks_owned_by_due: '(owner_id, due_time, id) where delete_time is null',
  tasks_assigned_by_due: `(assignee_id, due_time, id) ${assigned}`,
};
/** For lists by priority alone. These are in the order of creation now. Without them a release before sorts such a list. */
const dropped = {
  tasks_owned_cell: '(owner_id, cell, id)',
  tasks_assigned_cell: `(assignee_id, cell, id) ${assigned}`,
};

export class DueLists extends ConcurrentMigration {
  override up(): void {
    this.replace(dropped, added);
  }

  override down(): void {
    this.replace(added, dropped);
  }

  private replace(old: Record<string, string>, indexes: Record<string, string>): void {
    for (const [name, of] of Object.entries(indexes))
      this.addSql(`create index concurrently if not exists ${name} on tasks ${of}`);
    for (const name of Object.keys(old)) this.addSql(`drop index concurrently if exists ${name}`);
  }
}
