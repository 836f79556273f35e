import type { RowOf, SqlReader, Statement } from '#libs/db';
import {
  ProjectRole,
  projectRoleFromJSON,
  projectRoleToNumber,
  type Project as ProjectMessage,
  type ProjectMember as MemberMessage,
} from '#contract/tasks/v1/projects';
import type { PagePosition } from '../deps.ts';
import { memberTable, projectTable, toMemberMessage, toProjectMessage } from '../domain/project.columns.ts';

const ownRole = 'm.role as "ownRole"';

const findProject: Statement = {
  name: 'find_project',
  text: `
    select ${projectTable.select('p')}, ${ownRole}
    from projects p left join project_members m on m.project_id = p.id and m.user_id = $2
    where p.id = $1 and p.delete_time is null`,
};

const findSeen: Statement = {
  name: 'find_seen_projects',
  text: `
    select p.id from projects p left join project_members m on m.project_id = p.id and m.user_id = $2
    where p.id = any ($1::uuid[]) and p.delete_time is null and (m.user_id is not null or $3)`,
};

/* $1 person, $2 with archived ones, $3 with deleted ones, $4 create_time and $5 id of the last project before, $6 limit. */
const listWith = (name: string, source: string, ofDeleted: string): Statement => ({
  name,
  text: `
    select ${projectTable.select('p')}, ${ownRole} from ${source}
    where (p.archive_time is null or $2) and (p.delete_time is null or $3 and p.purge_time > now() ${ofDeleted})
      and (p.create_time, p.id) > ($4::timestamptz, $5::uuid)
    order by p.create_time, p.id limit $6`,
});

const listMine = listWith(
  'list_my_projects',
  'project_members m join projects p on p.id = m.project_id and m.user_id = $1',
  `and m.role = ${projectRoleToNumber(ProjectRole.MANAGER)}`,
);
const listAll = listWith(
  'list_all_projects',
  'projects p left join project_members m on m.project_id = p.id and m.user_id = $1',
  '',
);

const findMembership: Statement = {
  name: 'find_membership',
  text: `select role from project_members where project_id = $1 and user_id = $2`,
};

const listMemberships: Statement = {
  name: 'list_memberships',
  text: `select project_id from project_members where user_id = $1`,
};

const listMembers: Statement = {
  name: 'list_members',
  text: `
    select ${memberTable.select()} from project_members
    where project_id = $1 and (create_time, user_id) > ($2::timestamptz, $3::uuid)
    order by create_time, user_id limit $4`,
};

type ProjectRow = RowOf<typeof projectTable.columns> & { ownRole: number | null };

const toProject = ({ ownRole: role, ...row }: ProjectRow): ProjectMessage =>
  toProjectMessage(projectTable.toValues(row), { role: projectRoleFromJSON(role ?? 0) });

export type MemberRow = RowOf<typeof memberTable.columns>;

export const toMember = (row: MemberRow): MemberMessage => toMemberMessage(memberTable.toValues(row), {});

const beforeFirst = { time: '-infinity', id: '00000000-0000-0000-0000-000000000000' } as const;

/** Reads columns straight into messages, without the names of people. */
export interface ProjectReader {
  /** A project that is not deleted, with the person's role in it: UNSPECIFIED for one who is no member. */
  find(projectId: string, userId: string): Promise<ProjectMessage | undefined>;
  /** Those of the projects that are not deleted and that the person is a member of, or anybody. */
  findSeen(projectIds: readonly string[], which: { userId: string; ofEverybody: boolean }): Promise<Set<string>>;
  /** The person's projects, or those of everybody with the person's role; oldest first. */
  list(
    which: { userId: string; ofEverybody: boolean; showArchived: boolean; showDeleted: boolean },
    after: PagePosition | undefined,
    limit: number,
  ): Promise<ProjectMessage[]>;
  /** The person's role in a project, also in a deleted one; undefined for one who is no member. */
  roleOf(projectId: string, userId: string): Promise<ProjectRole | undefined>;
  /** The projects of which the person is a member, deleted ones included. */
  membershipsOf(userId: string): Promise<string[]>;
  /** Who joined first comes first; `id` of the position is the person's. */
  listMembers(projectId: string, after: PagePosition | undefined, limit: number): Promise<MemberMessage[]>;
}

export function createProjectReader(reader: SqlReader): ProjectReader {
  return {
    find: async (projectId, userId) => {
      const [row] = await reader.query<ProjectRow>(findProject, [projectId, userId]);
      return row && toProject(row);
    },
    findSeen: async (projectIds, { userId, ofEverybody }) => {
      if (projectIds.length === 0) return new Set();
      const rows = await reader.query<{ id: string }>(findSeen, [projectIds, userId, ofEverybody]);
      return new Set(rows.map(({ id }) => id));
    },
    list: async ({ userId, ofEverybody, showArchived, showDeleted }, after, limit) => {
      const { time, id } = after ?? beforeFirst;
      const statement = ofEverybody ? listAll : listMine;
      return (await reader.query<ProjectRow>(statement, [userId, showArchived, showDeleted, time, id, limit])).map(
        toProject,
      );
    },
    roleOf: async (projectId, userId) => {
      const [row] = await reader.query<{ role: number }>(findMembership, [projectId, userId]);
      return row && projectRoleFromJSON(row.role);
    },
    membershipsOf: async (userId) =>
      (await reader.query<{ project_id: string }>(listMemberships, [userId])).map((row) => row.project_id),
    listMembers: async (projectId, after, limit) => {
      const { time, id } = after ?? beforeFirst;
      return (await reader.query<MemberRow>(listMembers, [projectId, time, id, limit])).map(toMember);
    },
  };
}
