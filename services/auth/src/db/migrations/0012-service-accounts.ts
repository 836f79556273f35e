import { Migration } from '#libs/db';

export class ServiceAccounts extends Migration {
  override up(): void {
    this.addSql('alter table accounts add column service_account boolean not null default false;');
  }

  override down(): void {
    this.addSql('alter table accounts drop column service_account;');
  }
}
