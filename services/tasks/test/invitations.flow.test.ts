import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { JoinState } from '#contract/auth/v1/auth';
import {
  EmailResolution,
  ProjectInvitation,
  ProjectInvitationState,
  ProjectRole,
  type Project,
} from '#contract/tasks/v1/projects';
import { waitUntil } from '#dev/cluster';
import { retry } from '#dev/stubs';
import { kindAndReason } from '#dev/testing';
import {
  invite,
  joinProject,
  mailsTo,
  rowsOfAuth,
  tokenFor,
  tokenIn,
  untilMails,
  untilSettled,
  useInvitationCluster,
} from './invitation-cluster.ts';
import { usePeople, type Person } from './start-cluster.ts';
import { byEmail, byId, createProject } from './start-projects.ts';

const { VIEWER, EDITOR, MANAGER } = ProjectRole;
const { JOINED } = JoinState;

const service = await useInvitationCluster();
const [ada, bob, eve] = usePeople(service, 'Ada', 'Bob', 'Eve');

const newProject = (name = 'Website'): Promise<Project> => createProject(service.projects, ada, { name });
const newEmail = (): string => `${randomBytes(8).toString('hex')}@example.com`;
const accept = (token: string, { as }: Person) => service.auth.acceptProjectInvitation({ token }, as);
const listInvitations = ({ id: projectId }: Project, by = ada) =>
  service.projects.listProjectInvitations({ projectId }, by.as);
const rolesIn = async ({ id: projectId }: Project) =>
  (await service.projects.listMembers({ projectId }, ada.as)).members.map(({ userId, role }) => [userId, role]);
const addMember = ({ id: projectId }: Project, { userId }: Person, role: ProjectRole) =>
  service.projects.addMember({ projectId, person: byId(userId), role }, ada.as);
const register = (email: string, invitationToken: string) =>
  service.auth.register({ email, password: 'correct horse battery', displayName: 'Grace', invitationToken });

describe('B10 an invitation to a project', () => {
  it('is mailed with the names of inviter and project, and makes whoever accepts it a member, once', async () => {
    const project = await newProject('Our <b>site</b>');
    const request = { projectId: project.id, person: byEmail(bob.email), role: EDITOR };
    expect(await kindAndReason(service.projects.addMember(request, ada.as))).toBe(
      'failed_precondition/PERSON_NOT_FOUND',
    );
    const { id } = await invite(service, project, { by: ada, email: ` ${bob.email.toUpperCase()}` });
    const [mail] = await untilMails(bob.email);
    expect(mail?.text).toContain('Ada invites you to the project “Our <b>site</b>” in TaskFlow.');
    expect(mail?.text).toContain(`https://tasks.example.com/project-invitation#token=${tokenIn(mail)}`);
    expect(await rolesIn(project)).toEqual([[ada.userId, MANAGER]]);

    expect(await joinProject(service, bob, tokenIn(mail))).toEqual({
      projectId: project.id,
      invitationId: id,
      state: JOINED,
    });
    expect(await rolesIn(project)).toEqual([
      [ada.userId, MANAGER],
      [bob.userId, EDITOR],
    ]);
    const { invitations, emailResolution } = await listInvitations(project);
    expect(emailResolution).toBe(EmailResolution.COMPLETE);
    expect(invitations).toMatchObject([
      {
        state: ProjectInvitationState.ACCEPTED,
        accepterId: bob.userId,
        email: bob.email,
        mailTime: expect.any(Date),
        inviterName: 'Ada',
      },
    ]);
    // Whoever has joined by it and left since does not come back by it.
    await service.projects.leaveProject({ projectId: project.id }, bob.as);
    expect((await accept(tokenIn(mail), bob)).state).toBe(JOINED);
    expect(await rolesIn(project)).toEqual([[ada.userId, MANAGER]]);
  });

  it('verifies the e-mail of whoever accepts it, since its token came by mail', async () => {
    const grace = await service.newUser('Grace');
    await invite(service, await newProject(), { by: ada, email: grace.email });
    await joinProject(service, grace, await tokenFor(grace.email));
    const { user } = await waitUntil(
      () => service.users.getMe({}, grace.as),
      (answer) => answer.user?.emailVerified === true,
    );
    expect(user?.email).toBe(grace.email);
  });

  it('lets somebody register who has no account, and join with it', async () => {
    const [project, email] = [await newProject(), newEmail()];
    await invite(service, project, { by: ada, email });
    const token = await tokenFor(email);
    expect(await kindAndReason(register(newEmail(), token))).toBe('failed_precondition/INVITATION_INVALID');
    const { account, tokens } = await register(email, token);
    expect(account?.emailVerified).toBe(true);
    const grace = { as: { token: tokens?.accessToken ?? '' } };
    expect((await joinProject(service, grace, token)).state).toBe(JOINED);
    expect(await rolesIn(project)).toContainEqual([account?.id, EDITOR]);
    expect(await kindAndReason(register(email, token))).toBe('failed_precondition/INVITATION_INVALID');
  });

  it('is accepted once by calls at the same time, and by no second account', async () => {
    const project = await newProject();
    const grace = await service.newUser('Grace');
    await invite(service, project, { by: ada, email: grace.email });
    const token = await tokenFor(grace.email);
    const calls = [grace, grace, grace, eve, grace, bob, grace].map((person) =>
      accept(token, person).then(
        () => 'OK',
        ({ reason }) => reason as string,
      ),
    );
    const refusals = ['PROJECT_INVITATION_FOR_ANOTHER', 'PROJECT_INVITATION_USED'];
    for (const [index, outcome] of (await Promise.all(calls)).entries())
      expect(index === 3 || index === 5 ? refusals : ['OK']).toContain(outcome);
    await joinProject(service, grace, token);
    expect(await kindAndReason(accept(token, eve))).toBe('failed_precondition/PROJECT_INVITATION_USED');
    expect(await rolesIn(project)).toEqual([
      [ada.userId, MANAGER],
      [grace.userId, EDITOR],
    ]);
    const events = `select from events where stream_id = $1 and type = 'PROJECT_EVENT_TYPE_MEMBER_ADDED'`;
    expect(await service.sql(events, [project.id])).toHaveLength(1);
  });

  it('leaves a member the role that they have', async () => {
    const project = await newProject();
    await addMember(project, bob, VIEWER);
    await invite(service, project, { by: ada, email: bob.email, role: MANAGER });
    expect((await joinProject(service, bob, (await untilMails(bob.email, 2)).map(tokenIn).at(-1) ?? '')).state).toBe(
      JOINED,
    );
    expect(await rolesIn(project)).toContainEqual([bob.userId, VIEWER]);
  });

  it('is answered for whoever has an account as for whoever has none, while auth and users are away', async () => {
    const project = await newProject();
    const grace = await service.newUser('Grace');
    const emails = [grace.email, newEmail()];
    await service.cluster.kill('users', 'SIGKILL');
    await service.cluster.kill('auth', 'SIGKILL');
    try {
      const answers = [];
      for (const email of emails) answers.push(await invite(service, project, { by: ada, email }));
      const [one, other] = answers.map((answer) => {
        expect([answer.id, answer.createTime, answer.expireTime].every(Boolean)).toBe(true);
        const rest = { ...answer, id: '', createTime: undefined, expireTime: undefined };
        return Buffer.from(ProjectInvitation.encode(rest).finish());
      });
      expect(one).toEqual(other);
      const { invitations, emailResolution } = await listInvitations(project);
      expect([emailResolution, invitations.map(({ email }) => email)]).toEqual([EmailResolution.UNAVAILABLE, ['', '']]);
    } finally {
      await service.cluster.start('auth');
      await service.cluster.start('users');
    }
    for (const email of emails) await untilMails(email);
  }, 300_000);
});

describe('the token of an invitation', () => {
  const invited = async (project: Project): Promise<{ grace: Person; token: string; invitationId: string }> => {
    const grace = await retry(() => service.newUser('Grace'));
    const { id: invitationId } = await invite(service, project, { by: ada, email: grace.email });
    return { grace, token: await tokenFor(grace.email), invitationId };
  };
  /** The reason for which the person cannot join, once tasks has been asked. */
  const refusalOf = (token: string, person: Person): Promise<string> =>
    waitUntil(
      () =>
        accept(token, person).then(
          ({ state }) => state,
          ({ reason }) => reason as string,
        ),
      (outcome) => outcome !== JoinState.JOINING,
    );

  it('of nobody, of another person, cancelled or expired is refused, with a reason each', async () => {
    expect(await kindAndReason(accept(`tfj_${'x'.repeat(43)}`, bob))).toBe(
      'failed_precondition/PROJECT_INVITATION_INVALID',
    );
    const project = await newProject();
    const { grace, token, invitationId } = await invited(project);
    expect(await kindAndReason(accept(token, eve))).toBe('permission_denied/PROJECT_INVITATION_FOR_ANOTHER');
    await rowsOfAuth(service, `update project_invitees set expire_time = now() where id = '${invitationId}'`);
    expect(await kindAndReason(accept(token, grace))).toBe('failed_precondition/PROJECT_INVITATION_EXPIRED');
    await service.projects.resendProjectInvitation({ projectId: project.id, invitationId }, ada.as);
    expect((await untilMails(grace.email, 2)).map(tokenIn)).toEqual([token, token]);
    await service.projects.cancelProjectInvitation({ projectId: project.id, invitationId }, ada.as);
    expect(await refusalOf(token, grace)).toBe('PROJECT_INVITATION_CANCELLED');
    expect(await rolesIn(project)).toHaveLength(1);
  });

  it('joins no project that is archived, deleted or full, or whose inviter manages it no more', async () => {
    const gone = await newProject();
    await addMember(gone, bob, MANAGER);
    const cases: [Project, string, () => Promise<unknown>][] = [];
    const [archived, deleted, full] = [await newProject(), await newProject(), await newProject()];
    cases.push(
      [archived, 'PROJECT_ARCHIVED', () => service.projects.archiveProject({ projectId: archived.id }, ada.as)],
      [deleted, 'PROJECT_DELETED', () => service.projects.deleteProject({ projectId: deleted.id }, ada.as)],
      [full, 'PROJECT_FULL', () => service.sql('update projects set member_count = 500 where id = $1', [full.id])],
      [gone, 'INVITER_GONE', () => service.projects.leaveProject({ projectId: gone.id }, ada.as)],
    );
    for (const [project, cause, close] of cases) {
      const { grace, token } = await invited(project);
      await close();
      expect(await refusalOf(token, grace)).toBe('PROJECT_INVITATION_ENDED');
      const [row] = (await rowsOfAuth(
        service,
        `select outcome from project_invitees where accepter_id = '${grace.userId}'`,
      )) as { outcome: string }[];
      expect(row?.outcome.toUpperCase()).toBe(cause);
      const counted = await service.sql('select from project_members where user_id = $1', [grace.userId]);
      expect(counted).toEqual([]);
    }
  }, 120_000);

  it('is in no table, log or list', async () => {
    const project = await newProject();
    const { token, invitationId } = await invited(project);
    const { invitations } = await listInvitations(project);
    expect(JSON.stringify(invitations.map(({ id, email }) => [id, email]))).toContain(invitationId);
    const hit = await rowsOfAuth(service, `select from project_invitees t where t::text like '%${token}%'`);
    expect(hit).toEqual([]);
  });
});

describe('the mails of invitations', () => {
  it('go to an address five times an hour, whoever invites, and the list says when the last was made', async () => {
    const email = newEmail();
    const project = await newProject();
    for (let count = 0; count < 6; count += 1) await invite(service, project, { by: ada, email });
    await untilSettled(service);
    expect(mailsTo(email)).toHaveLength(5);
    const { invitations } = await listInvitations(project);
    expect(invitations.filter(({ mailTime }) => mailTime === undefined)).toHaveLength(1);
  });

  it('are made once for each call, and not once the invitation has ended', async () => {
    const project = await newProject();
    const email = newEmail();
    await service.cluster.kill('scheduler', 'SIGKILL');
    const { id: invitationId } = await invite(service, project, { by: ada, email });
    const request = { projectId: project.id, invitationId, requestId: randomUUID() };
    await service.projects.resendProjectInvitation(request, ada.as);
    await service.projects.resendProjectInvitation(request, ada.as);
    await waitUntil(
      () => rowsOfAuth(service, `select from mails where email = '${email}'`),
      (mails) => mails.length === 2,
    );
    await service.projects.cancelProjectInvitation({ projectId: project.id, invitationId }, ada.as);
    await service.cluster.start('scheduler');
    await rowsOfAuth(service, 'update outbox set next_attempt_time = clock_timestamp()');
    await untilSettled(service);
    expect(mailsTo(email)).toEqual([]);
  }, 300_000);
});
