import { ConcurrentMigration } from '#libs/db';

/** What a person was told of a task that is gone; `notifications_changes` has the other kinds. */
export class OverdueOfTask extends ConcurrentMigration {
  override up(): void {
    this.addSql(
      'create index concurrently if not exists notifications_overdue_of_task on notifications (recipient_id, task_id) where kind = 1',
    );
  }

  override down(): void {
    this.addSql('drop index concurrently if exists notifications_overdue_of_task');
  }
}
