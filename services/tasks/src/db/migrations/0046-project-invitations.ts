import { Migration } from '#libs/db';

export class ProjectInvitations extends Migration {
  override up(): void {
    this.addSql(`
      create table project_invitations (
        id uuid not null,
        project_id uuid not null,
        inviter_id uuid not null,
        by_administrator boolean not null,
        role smallint not null,
        state smallint not null,
        create_time timestamptz(3) not null,
        expire_time timestamptz(3) not null,
        end_time timestamptz(3) null,
        accepter_id uuid null,
        constraint project_invitations_pkey primary key (id)
      )`);
    this.addSql('create index project_invitations_by_time on project_invitations (project_id, create_time, id)');
    this.addSql('create index project_invitations_of_inviter on project_invitations (inviter_id, id)');
    this.addSql(`
      create index project_invitations_of_accepter on project_invitations (accepter_id)
        where (accepter_id is not null)`);
    this.addSql('create index project_invitations_expiry on project_invitations (expire_time)');
  }

  override down(): void {
    this.addSql('drop table project_invitations');
  }
}
