import { Migration } from '#libs/db';

// Only adds, and with a default: the version before goes on reading and writing while this is rolled out.
export class VerifiedEmails extends Migration {
  override up(): void {
    this.addSql('alter table profiles add column email_verified boolean not null default false;');
  }

  override down(): void {
    this.addSql('alter table profiles drop column email_verified;');
  }
}
