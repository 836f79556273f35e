import { Migration } from '#libs/db';

export class Invitations extends Migration {
  override up(): void {
    this.addSql(`
      create table invitations (
        id uuid not null,
        email text not null,
        mailbox text not null,
        token_hash text not null,
        inviter_id uuid not null,
        create_time timestamptz(3) not null,
        expire_time timestamptz(3) not null,
        accept_time timestamptz(3),
        revoke_time timestamptz(3),
        constraint invitations_pkey primary key (id),
        constraint invitations_token_hash_key unique (token_hash)
      );
      create unique index invitations_open_key on invitations (mailbox)
        where accept_time is null and revoke_time is null;
      create index invitations_create_time_idx on invitations (create_time, id);
      create index invitations_expire_time_idx on invitations (expire_time);`);
  }

  override down(): void {
    this.addSql('drop table invitations;');
  }
}
