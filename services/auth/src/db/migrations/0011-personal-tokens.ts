import { Migration } from '#libs/db';

export class PersonalTokens extends Migration {
  override up(): void {
    this.addSql(`
      create table personal_tokens (
        id uuid not null,
        account_id uuid not null,
        name text not null,
        scopes text[] not null,
        token_hash text not null,
        creator_id uuid not null,
        create_time timestamptz(3) not null,
        expire_time timestamptz(3) not null,
        revoke_time timestamptz(3),
        last_use_time timestamptz(3),
        constraint personal_tokens_pkey primary key (id),
        constraint personal_tokens_token_hash_key unique (token_hash),
        constraint personal_tokens_account_id_fkey foreign key (account_id) references accounts (id) on delete cascade
      );
      create index personal_tokens_account_id_create_time_idx on personal_tokens (account_id, create_time, id);
      create index personal_tokens_expire_time_idx on personal_tokens (expire_time);`);
  }

  override down(): void {
    this.addSql('drop table personal_tokens;');
  }
}
