import { Migration } from '#libs/db';

export class Recovery extends Migration {
  override up(): void {
    this.addSql(`
      alter table accounts add column email_verify_time timestamptz(3);
      alter table invitations add column mail_token_hash text;

      create table account_tokens (
        id uuid not null,
        account_id uuid not null,
        kind text not null,
        email text not null,
        token_hash text not null,
        mailed boolean not null,
        restores_administrator boolean not null,
        create_time timestamptz(3) not null,
        expire_time timestamptz(3) not null,
        constraint account_tokens_pkey primary key (id),
        constraint account_tokens_account_id_kind_key unique (account_id, kind),
        constraint account_tokens_token_hash_key unique (token_hash),
        constraint account_tokens_account_id_fkey foreign key (account_id) references accounts (id) on delete cascade,
        constraint account_tokens_kind_check check (kind in ('password_reset', 'email_verification', 'email_change'))
      );
      create index account_tokens_expire_time_idx on account_tokens (expire_time);

      create table mails (
        id uuid not null,
        kind text not null,
        account_id uuid,
        email text not null,
        subject_id uuid,
        new_email text,
        create_time timestamptz(3) not null,
        expire_time timestamptz(3) not null,
        constraint mails_pkey primary key (id),
        constraint mails_account_id_fkey foreign key (account_id) references accounts (id) on delete cascade,
        constraint mails_kind_check check (kind in ('password_reset', 'email_verification', 'invitation',
          'password_changed', 'account_recovered', 'email_change_requested', 'email_changed'))
      );
      create index mails_account_id_create_time_idx on mails (account_id, create_time);
      create index mails_email_create_time_idx on mails (email, create_time);
      create index mails_expire_time_idx on mails (expire_time);`);
  }

  override down(): void {
    this.addSql(`
      drop table mails, account_tokens;
      alter table invitations drop column mail_token_hash;
      alter table accounts drop column email_verify_time;`);
  }
}
