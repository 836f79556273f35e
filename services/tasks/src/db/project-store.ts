import { finalStatement, removeResponsesWith, runStatement, type CommonTable, type EntityManager } from '#libs/db';
import type { RowOf, Statement } from '#libs/db';
import type { EventLog } from '#libs/events';
import { ProjectRole, projectRoleToNumber } from '#contract/tasks/v1/projects';
import { memberTable, projectTable } from '../domain/project.columns.ts';
import { Member, Project } from '../domain/project.entity.ts';
import { toProjectEvent } from '../domain/project.events.ts';
import type { ProjectRepository } from '../domain/project.repository.ts';
import { projectTables } from './project-tables.ts';

type ProjectRow = RowOf<typeof projectTable.columns>;
type MemberRow = RowOf<typeof memberTable.columns>;

const manager = projectRoleToNumber(ProjectRole.MANAGER);

const lockProject: Statement = {
  name: 'lock_project',
  text: `select ${projectTable.select()} from projects where id = $1 for update`,
};

const findMember: Statement = {
  name: 'find_member',
  text: `select ${memberTable.select()} from project_members where project_id = $1 and user_id = $2`,
};

const countManagers = `select count(*)::int as count from project_members where project_id = $1 and role = ${manager}`;

const countProjects = `
  select count(*)::int as count from project_members m join projects p on p.id = m.project_id
  where m.user_id = $1 and p.delete_time is null`;

const countMost = `
  select coalesce(max(count), 0)::int as count from (
    select count(*) from project_members own
    join project_members m on m.user_id = own.user_id join projects p on p.id = m.project_id and p.delete_time is null
    where own.project_id = $1 group by own.user_id) counted`;

const findHeir: Statement = {
  name: 'find_heir',
  text: `
    select ${memberTable.select()} from project_members where project_id = $1 and user_id <> $2
    order by role desc, create_time, user_id limit 1`,
};

/** The id of a project is never given again, so nothing will be recorded in its stream any more. */
const removeThose = (which: string): string => `
  with gone as (delete from projects where id = any (${which}) returning id),
    members as (delete from project_members using gone where project_id = gone.id),
    departures as (delete from project_departures using gone where project_id = gone.id),
    watchers as (delete from project_watchers using gone where project_id = gone.id),
    invitations as (delete from project_invitations using gone where project_id = gone.id),
    heads as (delete from event_stream_heads using gone where stream_id = gone.id)
  select id from gone`;

const removeProject = removeThose('array[$1::uuid]');

// Skips locked projects: they are being undeleted, or another purge has them.
const purgeProjects = removeThose(`array(
  select id from projects where purge_time <= now() and delete_time is not null
    and not exists (select from tasks where project_id = projects.id)
  order by purge_time limit $1 for update skip locked)`);

export function createProjectStore(em: EntityManager, events: EventLog): ProjectRepository {
  const count = async (text: string, id: string): Promise<number> =>
    (await runStatement<{ count: number }>(em, text, [id]))[0]?.count ?? 0;
  const findOne = async (statement: Statement, ...parameters: string[]): Promise<Member | undefined> => {
    const [row] = await runStatement<MemberRow>(em, statement, parameters);
    return row && Member.of(memberTable.toValues(row));
  };
  return {
    lock: async (projectId) => {
      const [row] = await runStatement<ProjectRow>(em, lockProject, [projectId]);
      return row && Project.of(projectTable.toValues(row));
    },
    findMember: (projectId, userId) => findOne(findMember, projectId, userId),
    countManagers: (projectId) => count(countManagers, projectId),
    countProjects: async (userId) => {
      await runStatement(em, 'select pg_advisory_xact_lock(hashtextextended($1, 0))', [`projects ${userId}`]);
      return count(countProjects, userId);
    },
    countMostProjects: (projectId) => count(countMost, projectId),
    write: (writes, response) =>
      finalStatement(em, response, (ctes: readonly CommonTable[]) =>
        events.append(writes.map(toProjectEvent), [], [...projectTables(writes), ...ctes]),
      ),
    findOneOf: async (userId) => {
      const text = 'select project_id as id from project_members where user_id = $1 limit 1';
      return (await runStatement<{ id: string }>(em, text, [userId]))[0]?.id;
    },
    findHeir: (projectId, userId) => findOne(findHeir, projectId, userId),
    remove: async (projectId) => void (await runStatement(em, removeProject, [projectId])),
    removeAnswers: (projectId, toUserIds) => removeResponsesWith(em, [projectId], toUserIds),
    purge: async (limit) => (await runStatement(em, purgeProjects, [limit])).length,
  };
}
