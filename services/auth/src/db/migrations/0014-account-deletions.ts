import { Migration } from '#libs/db';

const kinds = [
  'password_reset',
  'email_verification',
  'invitation',
  'password_changed',
  'account_recovered',
  'email_change_requested',
  'email_changed',
];

/** Only adds: to a release before, a deleted account is a disabled one. */
export class AccountDeletions extends Migration {
  override up(): void {
    this.addSql(`
      alter table accounts
        add column delete_time timestamptz(3),
        add column purge_time timestamptz(3),
        add column deleter_id uuid,
        add column successor_id uuid,
        add column enabled_before boolean not null default false`);
    this.addSql(`
      create table account_deletions (
        account_id uuid not null,
        successor_id uuid,
        step text not null,
        begin_time timestamptz(3) not null,
        finish_time timestamptz(3),
        constraint account_deletions_pkey primary key (account_id)
      )`);
    this.addSql(
      'create index account_deletions_unfinished_idx on account_deletions (begin_time) where (finish_time is null)',
    );
    this.setKinds([...kinds, 'account_deleted']);
  }

  override down(): void {
    this.addSql(`delete from mails where kind = 'account_deleted'`);
    this.setKinds(kinds);
    this.addSql('drop table account_deletions');
    this.addSql(`
      alter table accounts drop column delete_time, drop column purge_time, drop column deleter_id,
        drop column successor_id, drop column enabled_before`);
  }

  private setKinds(allowed: readonly string[]): void {
    this.addSql('alter table mails drop constraint mails_kind_check');
    this.addSql(`alter table mails add constraint mails_kind_check check (kind in ('${allowed.join("', '")}'))`);
  }
}
