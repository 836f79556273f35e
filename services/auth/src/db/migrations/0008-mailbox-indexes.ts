import { ConcurrentMigration } from '#libs/db';

// The unique index cannot fail here, since it begins with the e-mails, which are unique.
export class MailboxIndexes extends ConcurrentMigration {
  override up(): void {
    this.addSql(
      'create unique index concurrently if not exists accounts_mailbox_key on accounts (coalesce(mailbox, email))',
    );
    this.addSql(
      'create index concurrently if not exists accounts_mailbox_idx on accounts (mailbox) where mailbox is not null',
    );
  }

  override down(): void {
    this.addSql('drop index concurrently if exists accounts_mailbox_idx');
    this.addSql('drop index concurrently if exists accounts_mailbox_key');
  }
}
