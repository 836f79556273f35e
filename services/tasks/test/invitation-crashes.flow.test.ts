import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { JoinState } from '#contract/auth/v1/auth';
import { ProjectRole, type Project } from '#contract/tasks/v1/projects';
import { retry } from '#dev/stubs';
import {
  crashAt,
  invite,
  joinProject,
  mailsTo,
  tokenFor,
  untilSettled,
  useInvitationCluster,
} from './invitation-cluster.ts';
import { usePeople } from './start-cluster.ts';
import { createProject } from './start-projects.ts';

const service = await useInvitationCluster();
const [ada] = usePeople(service, 'Ada');
const newProject = (): Promise<Project> => retry(() => createProject(service.projects, ada));

/** How often the person became a member, by the events, and as what. */
const joinings = ({ id }: Project, { userId }: { userId: string }) =>
  service.sql(
    `select m.role, (select count(*)::int from events e where e.stream_id = m.project_id
       and e.subject_id = m.user_id and e.type = 'PROJECT_EVENT_TYPE_MEMBER_ADDED') as events
     from project_members m where m.project_id = $1 and m.user_id = $2`,
    [id, userId],
  );
const once = [{ role: 3, events: 1 }];

describe('an invitation during which a service is killed', () => {
  it.each([
    ['tasks', 'invite.after-commit'],
    ['tasks', 'outbox.after-call.mail-invitation'],
    ['auth', 'mail-invitation.before-commit'],
    ['auth', 'mail-invitation.after-commit'],
    ['auth', 'outbox.after-call.hand-over-mail'],
    ['auth', 'mail.before-answer.project_invitation'],
    ['scheduler', 'claim.after-commit.send-mail'],
    ['scheduler', 'mail.before-message'],
  ] as const)(
    '%s at %s: mails exactly once, and the link works',
    async (...where) => {
      const project = await newProject();
      const grace = await retry(() => service.newUser('Grace'));
      await crashAt(service, where, () => invite(service, project, { by: ada, email: grace.email }));
      const token = await tokenFor(grace.email);
      await untilSettled(service);
      expect(mailsTo(grace.email)).toHaveLength(1);
      expect(await joinProject(service, grace, token)).toMatchObject({ state: JoinState.JOINED });
      expect(await joinings(project, grace)).toEqual(once);
    },
    300_000,
  );

  it('tasks before it is stored: mails nobody, and once when it is asked again under the same request id', async () => {
    const project = await newProject();
    const grace = await service.newUser('Grace');
    const request = { projectId: project.id, email: grace.email, role: ProjectRole.EDITOR, requestId: randomUUID() };
    await crashAt(service, ['tasks', 'invite.before-commit'], () => service.projects.inviteMember(request, ada.as));
    await untilSettled(service);
    expect(mailsTo(grace.email)).toEqual([]);
    await retry(() => service.projects.inviteMember(request, ada.as));
    await service.projects.inviteMember(request, ada.as);
    await tokenFor(grace.email);
    await untilSettled(service);
    expect(mailsTo(grace.email)).toHaveLength(1);
  }, 300_000);
});

describe('an acceptance during which a service is killed', () => {
  it.each([
    ['auth', 'accept.before-commit'],
    ['auth', 'accept.after-commit'],
    ['auth', 'accept.after-outcome'],
    ['auth', 'outbox.after-call.join-project'],
    ['tasks', 'join.before-commit'],
    ['tasks', 'join.after-commit'],
  ] as const)(
    '%s at %s: makes the person a member once, and is not lost',
    async (...where) => {
      const project = await newProject();
      const grace = await retry(() => service.newUser('Grace'));
      await retry(() => invite(service, project, { by: ada, email: grace.email }));
      const token = await tokenFor(grace.email);
      await crashAt(service, where, () => service.auth.acceptProjectInvitation({ token }, grace.as));
      // What was committed goes on by itself; what was not is as if it had never been asked for.
      const isAccepted = where[1] !== 'accept.before-commit';
      if (isAccepted) {
        await untilSettled(service);
        expect(await joinings(project, grace)).toEqual(once);
      }
      expect(await joinProject(service, grace, token)).toMatchObject({
        state: JoinState.JOINED,
        projectId: project.id,
      });
      await untilSettled(service);
      expect(await joinings(project, grace)).toEqual(once);
      const { members } = await service.projects.listMembers({ projectId: project.id }, grace.as);
      expect(members).toHaveLength(2);
    },
    300_000,
  );

  it('tasks, away while it is accepted: the person joins when it is back', async () => {
    const project = await newProject();
    const grace = await retry(() => service.newUser('Grace'));
    await retry(() => invite(service, project, { by: ada, email: grace.email }));
    const token = await tokenFor(grace.email);
    await service.cluster.kill('tasks', 'SIGKILL');
    const { state } = await service.auth.acceptProjectInvitation({ token }, grace.as);
    expect(state).toBe(JoinState.JOINING);
    await service.cluster.start('tasks');
    expect(await joinProject(service, grace, token)).toMatchObject({ state: JoinState.JOINED });
    expect(await joinings(project, grace)).toEqual(once);
  }, 300_000);
});
