import { ConcurrentMigration } from '#libs/db';

/** Whether two people share a task. Without it, each of many tasks of one of them would be looked at. */
export class Sharing extends ConcurrentMigration {
  override up(): void {
    this.addSql(
      'create index concurrently if not exists tasks_sharing on tasks (owner_id, assignee_id) where delete_time is null and assignee_id <> owner_id',
    );
  }

  override down(): void {
    this.addSql('drop index concurrently if exists tasks_sharing');
  }
}
