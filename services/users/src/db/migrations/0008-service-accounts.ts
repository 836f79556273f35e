import { Migration } from '#libs/db';

export class ServiceAccounts extends Migration {
  override up(): void {
    this.addSql('alter table profiles add column service_account boolean not null default false;');
  }

  override down(): void {
    this.addSql('alter table profiles drop column service_account;');
  }
}
