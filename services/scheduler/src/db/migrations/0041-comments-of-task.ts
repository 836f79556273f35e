import { ConcurrentMigration } from '#libs/db';

/** What a person was told of comments of a task that is gone. */
export class CommentsOfTask extends ConcurrentMigration {
  override up(): void {
    this.addSql(
      'create index concurrently if not exists notifications_comments on notifications (recipient_id, task_id) where kind in (10, 11)',
    );
  }

  override down(): void {
    this.addSql('drop index concurrently if exists notifications_comments');
  }
}
