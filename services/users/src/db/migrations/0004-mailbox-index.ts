import { ConcurrentMigration } from '#libs/db';

export class MailboxIndex extends ConcurrentMigration {
  override up(): void {
    this.addSql(
      'create index concurrently if not exists profiles_mailbox_prefix_idx on profiles (coalesce(mailbox, lower(email)) text_pattern_ops)',
    );
  }

  override down(): void {
    this.addSql('drop index concurrently if exists profiles_mailbox_prefix_idx');
  }
}
