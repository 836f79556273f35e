import type { RowOf, SqlReader, Statement } from '#libs/db';
import { ProjectInvitationState, projectInvitationStateToNumber } from '#contract/tasks/v1/projects';
import type { PagePosition } from '../deps.ts';
import { invitationTable, type InvitationValues } from '../domain/invitation.columns.ts';

type InvitationRow = RowOf<typeof invitationTable.columns>;

const list: Statement = {
  name: 'list_invitations',
  text: `
    select ${invitationTable.select()} from project_invitations
    where project_id = $1 and ($2::timestamptz is null or (create_time, id) < ($2, $3::uuid))
    order by create_time desc, id desc limit $4`,
};

const listOfInviter: Statement = {
  name: 'list_invitations_of_inviter',
  text: `
    select ${invitationTable.select()} from project_invitations where inviter_id = $1 and id > $2::uuid
    order by id limit $3`,
};

const findJoinable: Statement = {
  name: 'find_joinable_invitation',
  text: `
    select i.inviter_id as "inviterId", p.name as "projectName"
    from project_invitations i join projects p on p.id = i.project_id
    where i.id = $1 and i.state = ${projectInvitationStateToNumber(ProjectInvitationState.OPEN)} and i.expire_time > $2
      and p.delete_time is null and p.archive_time is null`,
};

const beforeFirst = '00000000-0000-0000-0000-000000000000';

export interface InvitationReader {
  /** The invitations of a project, newest first. */
  list(projectId: string, after: PagePosition | undefined, limit: number): Promise<InvitationValues[]>;
  /** Those that a person has made, by id. */
  listOfInviter(userId: string, afterId: string | undefined, limit: number): Promise<InvitationValues[]>;
  /** What the mail says of an invitation by which somebody can join now. */
  findJoinable(id: string, now: Date): Promise<{ inviterId: string; projectName: string } | undefined>;
}

export function createInvitationReader(reader: SqlReader): InvitationReader {
  const read = async (statement: Statement, parameters: unknown[]): Promise<InvitationValues[]> =>
    (await reader.query<InvitationRow>(statement, parameters)).map(invitationTable.toValues);
  return {
    list: (projectId, after, limit) => read(list, [projectId, after?.time ?? null, after?.id ?? null, limit]),
    listOfInviter: (userId, afterId, limit) => read(listOfInviter, [userId, afterId ?? beforeFirst, limit]),
    findJoinable: async (id, now) =>
      (await reader.query<{ inviterId: string; projectName: string }>(findJoinable, [id, now]))[0],
  };
}
