import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  EmailResolution,
  InviteMemberResponse,
  ProjectInvitationState,
  ProjectRole,
  type Project,
} from '#contract/tasks/v1/projects';
import { waitUntil } from '#dev/cluster';
import { exportFrom, invalidFields, readPages, refused } from '#dev/testing';
import { countDifferent } from './factories.ts';
import { archived, createProject, projectNotFound, roleRequired } from './start-projects.ts';
import { useTasks, useUsers } from './start-tasks.ts';

const { OPEN, CANCELLED, EXPIRED, INVITER_GONE, PROJECT_DELETED } = ProjectInvitationState;
const closed = { kind: 'failed_precondition', reason: 'PROJECT_INVITATION_CLOSED' };
const notFound = { kind: 'not_found', reason: 'PROJECT_INVITATION_NOT_FOUND' };
const email = 'grace@example.com';

/* Auth is down here: see invitations.flow.test.ts for mails and acceptances. */
describe('B10 invitations to a project', () => {
  const service = useTasks({ maintenanceIntervalMs: 20 });
  const [manager, second, viewer, stranger, admin] = useUsers(service, 'user', 'user', 'user', 'user', 'admin');

  const newProject = async (): Promise<Project> => {
    const project = await createProject(service.projects, manager);
    for (const [{ userId }, role] of [[second, 4] as const, [viewer, 1] as const])
      await service.sql('insert into project_members values ($1, $2, $3, 1, now(), now())', [project.id, userId, role]);
    await service.sql('update projects set member_count = 3 where id = $1', [project.id]);
    return project;
  };
  const invite = async ({ id: projectId }: Project, by = manager) => {
    const request = { projectId, email, role: ProjectRole.EDITOR };
    const { invitation } = await service.projects.inviteMember(request, by.as);
    if (invitation === undefined) throw new Error('the answer has no invitation');
    return invitation;
  };
  const list = async ({ id: projectId }: Project, by = manager, pageSize = 0) =>
    (
      await readPages((pageToken) => service.projects.listProjectInvitations({ projectId, pageSize, pageToken }, by.as))
    ).flatMap(({ invitations }) => invitations);
  const statesOf = async (project: Project) => (await list(project)).map(({ state }) => state);
  const which = (project: Project, { id: invitationId }: { id: string }) => ({ projectId: project.id, invitationId });

  it('are made by managers, and listed by them only, newest first', async () => {
    const project = await newProject();
    const first = await invite(project);
    const other = await invite(project, second);
    expect(first).toMatchObject({ state: OPEN, inviterId: manager.userId, role: ProjectRole.EDITOR, email: '' });
    expect(await list(project, second, 1)).toEqual([other, first]);
    const { emailResolution } = await service.projects.listProjectInvitations({ projectId: project.id }, manager.as);
    expect(emailResolution).toBe(EmailResolution.UNAVAILABLE);
    for (const [person, refusal] of [[viewer, roleRequired] as const, [stranger, projectNotFound] as const]) {
      expect(await refused(invite(project, person))).toEqual(refusal);
      expect(await refused(list(project, person))).toEqual(refusal);
      expect(await refused(service.projects.cancelProjectInvitation(which(project, first), person.as))).toEqual(
        refusal,
      );
      expect(await refused(service.projects.resendProjectInvitation(which(project, first), person.as))).toEqual(
        refusal,
      );
    }
    expect(await invite(await newProject(), admin)).toMatchObject({ inviterId: admin.userId });
  });

  it('refuse what breaks a rule, with every field at once', async () => {
    const request = { projectId: 'x', email: 'nobody', role: ProjectRole.UNSPECIFIED, requestId: 'a b' };
    expect(await invalidFields(service.projects.inviteMember(request, manager.as))).toEqual([
      'project_id',
      'email',
      'role',
      'request_id',
    ]);
    const ids = { projectId: 'x', invitationId: 'y' };
    const both = ['project_id', 'invitation_id'];
    expect(await invalidFields(service.projects.cancelProjectInvitation(ids, manager.as))).toEqual(both);
    expect(await invalidFields(service.projects.resendProjectInvitation(ids, manager.as))).toEqual(both);
  });

  it('are made once for each request id, and not at all when only checked', async () => {
    const project = await newProject();
    const request = { projectId: project.id, email, role: ProjectRole.VIEWER, requestId: randomUUID() };
    await service.projects.inviteMember({ ...request, validateOnly: true }, manager.as);
    expect(await list(project)).toEqual([]);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => service.projects.inviteMember(request, manager.as)),
    );
    expect(countDifferent(InviteMemberResponse, answers)).toBe(1);
    expect(await list(project)).toHaveLength(1);
    const mails = `select from outbox where kind = 'mail-invitation' and payload ->> 'projectId' = $1`;
    expect(await service.sql(mails, [project.id])).toHaveLength(1);
  });

  it('keep the e-mail nowhere but in the call to auth', async () => {
    const project = await newProject();
    await invite(project);
    const tables = await service.sql<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'outbox'`,
    );
    for (const { name } of tables)
      expect(await service.sql(`select '${name}' from ${name} t where t::text like '%' || $1 || '%'`, [email])).toEqual(
        [],
      );
    expect(service.logLines.join('\n')).not.toContain(email);
  });

  it('are cancelled once and for all, and not by way of another project', async () => {
    const project = await newProject();
    const invitation = await invite(project);
    const elsewhere = which(await newProject(), invitation);
    expect(await refused(service.projects.cancelProjectInvitation(elsewhere, manager.as))).toEqual(notFound);
    const answer = await service.projects.cancelProjectInvitation(which(project, invitation), second.as);
    expect(answer.invitation).toMatchObject({ state: CANCELLED, endTime: expect.any(Date) });
    expect(await service.projects.cancelProjectInvitation(which(project, invitation), manager.as)).toEqual(answer);
    expect(await refused(service.projects.resendProjectInvitation(which(project, invitation), manager.as))).toEqual(
      closed,
    );
  });

  it('expire, and are open for their whole time again once they are sent again', async () => {
    const project = await newProject();
    const invitation = await invite(project);
    await service.sql(`update project_invitations set expire_time = now() - interval '1 day'`);
    expect(await statesOf(project)).toEqual([EXPIRED]);
    const { invitation: renewed } = await service.projects.resendProjectInvitation(
      which(project, invitation),
      second.as,
    );
    expect(renewed?.state).toBe(OPEN);
    expect(renewed?.expireTime?.getTime()).toBeGreaterThanOrEqual(invitation.expireTime?.getTime() ?? Infinity);
    await service.sql(`update project_invitations set expire_time = now() - interval '31 days'`);
    await waitUntil(async () => (await list(project)).length === 0);
  });

  it('end when whoever invited manages the project no more, and with the project', async () => {
    const project = await newProject();
    await invite(project, second);
    await invite(project, admin);
    await invite(project, manager);
    await service.projects.removeMember({ projectId: project.id, userId: second.userId }, manager.as);
    expect(await statesOf(project)).toEqual([OPEN, OPEN, INVITER_GONE]);
    await service.projects.deleteProject({ projectId: project.id }, manager.as);
    await service.projects.undeleteProject({ projectId: project.id }, manager.as);
    expect(await statesOf(project)).toEqual([PROJECT_DELETED, PROJECT_DELETED, INVITER_GONE]);
  });

  it('cannot be made in an archived project, nor beyond the members that it may have', async () => {
    const project = await newProject();
    const invitation = await invite(project);
    await service.sql('update projects set member_count = 498 where id = $1', [project.id]);
    await invite(project);
    expect(await refused(invite(project))).toEqual({ kind: 'failed_precondition', reason: 'TOO_MANY_MEMBERS' });
    await service.projects.archiveProject({ projectId: project.id }, manager.as);
    expect(await refused(invite(project))).toEqual(archived);
    expect(await refused(service.projects.resendProjectInvitation(which(project, invitation), manager.as))).toEqual(
      archived,
    );
    await service.projects.cancelProjectInvitation(which(project, invitation), manager.as);
  });

  it('are exported to whoever made them, without a word of the invited, and go with the account', async () => {
    const project = await newProject();
    const { id } = await invite(project, second);
    const { byType } = await exportFrom(service.app, second.as);
    expect(byType['project_invitation']).toContainEqual(expect.objectContaining({ id, projectId: project.id }));
    for (let more = true; more;) {
      const request = { userId: second.userId, successorId: '' };
      ({ more } = await service.internal.deleteUserTasks(request, await service.asService('auth')));
    }
    const found = await service.sql('select from project_invitations where inviter_id = $1', [second.userId]);
    expect(found).toEqual([]);
  });
});

describe('an installation that sends no mail', () => {
  const service = useTasks({ config: { sendsMail: false } });
  const [manager] = useUsers(service, 'user');

  it('refuses to invite, and says why', async () => {
    const { id: projectId } = await createProject(service.projects, manager);
    const request = { projectId, email, role: ProjectRole.EDITOR };
    expect(await refused(service.projects.inviteMember(request, manager.as))).toEqual({
      kind: 'failed_precondition',
      reason: 'MAIL_OFF',
    });
  });
});
