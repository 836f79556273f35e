import { Migration } from '#libs/db';

const outcomes = [
  'joined',
  'cancelled',
  'inviter_gone',
  'project_deleted',
  'project_archived',
  'project_full',
  'too_many_projects',
  'used',
  'account_deleted',
];

export class ProjectInvitees extends Migration {
  override up(): void {
    this.addSql(`
      create table project_invitees (
        id uuid not null,
        project_id uuid not null,
        inviter_id uuid not null,
        email text not null,
        mailbox text not null,
        token_hash text not null,
        create_time timestamptz(3) not null,
        expire_time timestamptz(3) not null,
        mail_time timestamptz(3),
        accept_time timestamptz(3),
        accepter_id uuid,
        outcome text,
        constraint project_invitees_pkey primary key (id),
        constraint project_invitees_token_hash_key unique (token_hash),
        constraint project_invitees_outcome_check check (outcome in ('${outcomes.join("', '")}'))
      )`);
    this.addSql('create index project_invitees_mailbox_idx on project_invitees (mailbox)');
    this.addSql('create index project_invitees_inviter_id_idx on project_invitees (inviter_id, id)');
    this.addSql(`
      create index project_invitees_accepter_id_idx on project_invitees (accepter_id)
        where (accepter_id is not null)`);
    this.addSql('create index project_invitees_expire_time_idx on project_invitees (expire_time)');
  }

  override down(): void {
    this.addSql('drop table project_invitees');
  }
}
