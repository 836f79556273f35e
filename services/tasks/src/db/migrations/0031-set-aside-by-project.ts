import { ConcurrentMigration } from '#libs/db';

/** Which due rows are to be brought back when their project is open again. Others pay nothing. */
export class SetAsideByProject extends ConcurrentMigration {
  override up(): void {
    this.addSql(
      'create index concurrently if not exists task_due_set_aside on task_due (project_id, task_id) where set_aside',
    );
  }

  override down(): void {
    this.addSql('drop index concurrently if exists task_due_set_aside');
  }
}
