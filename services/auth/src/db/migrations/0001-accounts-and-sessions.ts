import { Migration } from '#libs/db';
import { outboxTable } from '#libs/events';

export class AccountsAndSessions extends Migration {
  override up(): void {
    this.addSql(`
      create table accounts (
        id uuid not null,
        email text not null,
        password_hash text not null,
        role text not null,
        enabled boolean not null,
        version bigint not null,
        create_time timestamptz(3) not null,
        update_time timestamptz(3) not null,
        constraint accounts_pkey primary key (id),
        constraint accounts_email_key unique (email),
        constraint accounts_role_check check (role in ('user', 'admin'))
      );

      create table sessions (
        id uuid not null,
        account_id uuid not null,
        user_agent text not null,
        peer text not null,
        create_time timestamptz(3) not null,
        last_used_time timestamptz(3) not null,
        expire_time timestamptz(3) not null,
        revoke_time timestamptz(3),
        revoke_reason text,
        constraint sessions_pkey primary key (id),
        constraint sessions_account_id_fkey foreign key (account_id) references accounts (id) on delete cascade,
        constraint sessions_revoke_reason_check check (revoke_reason in ('logout', 'token_reused'))
      );
      create index sessions_account_id_idx on sessions (account_id);
      create index sessions_expire_time_idx on sessions (expire_time);

      create table refresh_tokens (
        token_hash text not null,
        session_id uuid not null,
        generation int not null,
        create_time timestamptz(3) not null,
        replace_time timestamptz(3),
        constraint refresh_tokens_pkey primary key (token_hash),
        constraint refresh_tokens_session_id_generation_key unique (session_id, generation),
        constraint refresh_tokens_session_id_fkey foreign key (session_id) references sessions (id) on delete cascade
      );

      create table signing_keys (
        kid text not null,
        state text not null,
        public_jwk jsonb not null,
        sealed_private_key bytea not null,
        create_time timestamptz(3) not null,
        activate_time timestamptz(3),
        retire_time timestamptz(3),
        constraint signing_keys_pkey primary key (kid),
        constraint signing_keys_state_check check (state in ('published', 'active', 'retiring', 'retired'))
      );
      create unique index signing_keys_one_active_key on signing_keys (state) where (state = 'active');
    `);
    this.addSql(outboxTable.up);
  }

  override down(): void {
    this.addSql(outboxTable.down);
    this.addSql('drop table signing_keys, refresh_tokens, sessions, accounts;');
  }
}
