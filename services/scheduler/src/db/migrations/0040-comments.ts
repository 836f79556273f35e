import { Migration } from '#libs/db';

/** Only adds, without touching a row. */
export class Comments extends Migration {
  override up(): void {
    this.addSql('alter table notifications add column comment_id uuid');
  }

  override down(): void {
    this.addSql('alter table notifications drop column comment_id');
  }
}
