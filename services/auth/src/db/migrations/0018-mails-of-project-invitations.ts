import { Migration } from '#libs/db';

const kinds = [
  'password_reset',
  'email_verification',
  'invitation',
  'password_changed',
  'account_recovered',
  'email_change_requested',
  'email_changed',
  'account_deleted',
  'account_created',
];

export class MailsOfProjectInvitations extends Migration {
  override up(): void {
    this.setKinds([...kinds, 'project_invitation']);
  }

  override down(): void {
    this.addSql(`delete from mails where kind = 'project_invitation'`);
    this.setKinds(kinds);
  }

  private setKinds(allowed: readonly string[]): void {
    this.addSql('alter table mails drop constraint mails_kind_check');
    this.addSql(`alter table mails add constraint mails_kind_check check (kind in ('${allowed.join("', '")}'))`);
  }
}
