import { Migration } from '#libs/db';

// Only adds. Of profiles that were there before, the service fills the column at its start: the database cannot compute it.
export class Mailboxes extends Migration {
  override up(): void {
    this.addSql('alter table profiles add column mailbox text;');
  }

  override down(): void {
    this.addSql('alter table profiles drop column mailbox;');
  }
}
