import { ConcurrentMigration } from '#libs/db';

/** A number is given once in a project. Tasks without one pay nothing. */
export class TaskNumbers extends ConcurrentMigration {
  override up(): void {
    this.addSql(
      'create unique index concurrently if not exists tasks_number on tasks (project_id, number) where project_id is not null',
    );
  }

  override down(): void {
    this.addSql('drop index concurrently if exists tasks_number');
  }
}
