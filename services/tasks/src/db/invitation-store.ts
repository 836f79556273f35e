import { runStatement, type CommonTable, type EntityManager, type RowOf, type Statement } from '#libs/db';
import {
  ProjectEventType,
  ProjectInvitationState,
  projectInvitationStateToNumber,
  ProjectRole,
} from '#contract/tasks/v1/projects';
import { invitationTable } from '../domain/invitation.columns.ts';
import { Invitation } from '../domain/invitation.entity.ts';
import type { InvitationMail, InvitationRepository } from '../domain/invitation.repository.ts';
import type { ProjectWrite } from '../domain/project.events.ts';

const { OPEN, INVITER_GONE, PROJECT_DELETED } = ProjectInvitationState;
const codeOf = projectInvitationStateToNumber;

const { names } = invitationTable;
const parameterOf = (index: number): string => `$${index + 1}`;
const codedNames: readonly string[] = ['role', 'state'];

const find: Statement = {
  name: 'find_invitation',
  text: `select ${invitationTable.select()} from project_invitations where id = $1`,
};

const addText = `
  insert into project_invitations (${names.join(', ')}) values (${names
    .map((name, index) => `${parameterOf(index)}${codedNames.includes(name) ? '::smallint' : ''}`)
    .join(', ')})`;

const saveText = `
  update project_invitations set state = $2::smallint, expire_time = $3, end_time = $4, accepter_id = $5 where id = $1`;

const countOpenText = `
  select count(*)::int as count from project_invitations
  where project_id = $1 and state = ${codeOf(OPEN)} and expire_time > $2`;

const pruneText = `
  delete from project_invitations where id = any (array(
    select id from project_invitations where expire_time < $1 order by expire_time limit $2 for update skip locked))
  returning 1`;

export function createInvitationStore(em: EntityManager, mail: (mail: InvitationMail) => void): InvitationRepository {
  return {
    find: async (id) => {
      const [row] = await runStatement<RowOf<typeof invitationTable.columns>>(em, find, [id]);
      return row && Invitation.of(invitationTable.toValues(row));
    },
    add: async (invitation) => void (await runStatement(em, addText, invitationTable.cells(invitation))),
    save: async ({ id, state, expireTime, endTime, accepterId }) =>
      void (await runStatement(em, saveText, [id, codeOf(state), expireTime, endTime, accepterId])),
    countOpen: async (projectId, now) =>
      (await runStatement<{ count: number }>(em, countOpenText, [projectId, now]))[0]?.count ?? 0,
    mail,
    prune: async (before, limit) => (await runStatement(em, pruneText, [before, limit])).length,
  };
}

const isDeletion = ({ type }: ProjectWrite): boolean => type === ProjectEventType.DELETED;

/** Whether the write makes a manager something else, or nothing. */
const losesManager = ({ type, memberBefore, member }: ProjectWrite): boolean =>
  memberBefore?.role === ProjectRole.MANAGER &&
  (type === ProjectEventType.MEMBER_REMOVED || member?.role !== ProjectRole.MANAGER);

const endText = (state: ProjectInvitationState): string =>
  `update project_invitations i set state = ${codeOf(state)}, end_time = now()`;

/** The invitations that end with a change of their project or of a member: nobody may join by them from then on. */
export function endedInvitations(writes: readonly ProjectWrite[]): CommonTable[] {
  const deleted = writes.filter(isDeletion).map(({ project }) => project.id);
  const lost = writes.filter(losesManager).flatMap(({ memberBefore }) => memberBefore ?? []);
  const ofDeleted: CommonTable = {
    name: 'ended',
    text: (add) => `
      ${endText(PROJECT_DELETED)} where i.state = ${codeOf(OPEN)} and i.project_id = any (${add(deleted, 'uuid[]')})
      returning 1`,
  };
  const ofLost: CommonTable = {
    name: 'lost',
    text: (add) => {
      const projectIds = lost.map(({ projectId }) => projectId);
      const userIds = lost.map(({ userId }) => userId);
      return `
        ${endText(INVITER_GONE)}
        from unnest(${add(projectIds, 'uuid[]')}, ${add(userIds, 'uuid[]')}) as lost (project_id, user_id)
        where i.project_id = lost.project_id and i.inviter_id = lost.user_id
          and i.state = ${codeOf(OPEN)} and not i.by_administrator
        returning 1`;
    },
  };
  return [...(deleted.length > 0 ? [ofDeleted] : []), ...(lost.length > 0 ? [ofLost] : [])];
}
