import type { RowOf, SqlReader } from '#libs/db';
import { projectInviteeTable, type ProjectInviteeColumns } from '../domain/project-invitee.columns.ts';
import type { ProjectInviteeReader } from '../domain/project-invitee.ports.ts';

const invitees = `select ${projectInviteeTable.select()} from project_invitees`;

const statements = {
  findByToken: { name: 'project-invitee-find-by-token', text: `${invitees} where token_hash = $1` },
  list: { name: 'project-invitee-list', text: `${invitees} where id = any ($1::uuid[])` },
};

export function createProjectInviteeReader(reader: SqlReader): ProjectInviteeReader {
  const read = async (statement: keyof typeof statements, parameter: unknown) =>
    (await reader.query<RowOf<ProjectInviteeColumns>>(statements[statement], [parameter])).map(
      projectInviteeTable.toValues,
    );
  return {
    findProjectInviteeByToken: async (tokenHash) => (await read('findByToken', tokenHash))[0],
    listProjectInvitees: (ids) => read('list', ids),
  };
}
