import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { JoinState, type AcceptProjectInvitationResponse } from '#contract/auth/v1/auth';
import { ProjectRole, type Project, type ProjectInvitation } from '#contract/tasks/v1/projects';
import { serviceNames, waitUntil } from '#dev/cluster';
import { queryOnce, startMailServer, type ReceivedMail, type TestMailServer } from '#dev/testing';
import { retry } from '#dev/stubs';
import { useTasksCluster, type Person, type TasksCluster } from './start-cluster.ts';

/** Of the file of tests that runs. */
let server: TestMailServer;
const ordersFile = join(process.env['TASKFLOW_TEST_DIR'] ?? '', `invitation-orders-${process.pid}`);

export const subject = 'You are invited to a project in TaskFlow';

/** All services, and a mail server in this process. */
export async function useInvitationCluster(): Promise<TasksCluster> {
  server = await startMailServer();
  const service = useTasksCluster({
    services: serviceNames,
    env: {
      TASKFLOW_RATE_LIMITS: '{"*":"unlimited"}',
      TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
      TASKFLOW_CRASH_FILE: ordersFile,
      TASKFLOW_MAIL: 'smtp',
      TASKFLOW_SCHEDULER_SMTP_URL: server.url,
      TASKFLOW_SCHEDULER_SMTP_AUTHORITY: server.authority,
      TASKFLOW_SCHEDULER_MAIL_SENDER: 'TaskFlow <taskflow@mail.example.com>',
      TASKFLOW_SCHEDULER_MAIL_SITE_URL: 'https://tasks.example.com/',
      TASKFLOW_SCHEDULER_MAIL_RETRY_MS: '200',
    },
  });
  afterAll(async () => {
    rmSync(ordersFile, { force: true });
    await server.stop();
  });
  return service;
}

/** The mails of invitations to an address. */
export const mailsTo = (email: string): ReceivedMail[] =>
  server.accepted.filter((mail) => mail.recipients.includes(email) && mail.subject === subject);

/** Once there are so many. */
export const untilMails = (email: string, count = 1): Promise<ReceivedMail[]> =>
  waitUntil(
    () => mailsTo(email),
    (mails) => mails.length >= count,
  );

/** As a person reads it. */
export const tokenIn = (mail: ReceivedMail | undefined): string =>
  /#token=(tfj_[\w-]{43})\b/.exec(mail?.text ?? '')?.[1] ?? '';

export async function tokenFor(email: string): Promise<string> {
  return tokenIn((await untilMails(email)).at(-1));
}

export async function invite(
  { projects }: TasksCluster,
  { id: projectId }: Project,
  { by, email, role = ProjectRole.EDITOR }: { by: Person; email: string; role?: ProjectRole },
): Promise<ProjectInvitation> {
  const { invitation } = await projects.inviteMember({ projectId, email, role }, by.as);
  if (invitation === undefined) throw new Error('the answer has no invitation');
  return invitation;
}

/** Accepts until tasks has answered: the last answer, or the refusal. */
export const joinProject = (
  { auth }: TasksCluster,
  { as }: Pick<Person, 'as'>,
  token: string,
): Promise<AcceptProjectInvitationResponse> =>
  waitUntil(
    () => retry(() => auth.acceptProjectInvitation({ token }, as)),
    ({ state }) => state !== JoinState.JOINING,
  );

export const rowsOfAuth = ({ cluster }: TasksCluster, text: string): Promise<unknown[]> =>
  queryOnce(cluster.databaseUrl('auth'), text);

/** The calls that were being made by a process that died are due again; their leases have run out. */
export async function letLeasesRunOut(service: TasksCluster): Promise<void> {
  const text = 'update outbox set next_attempt_time = clock_timestamp() where attempts > 0';
  await Promise.all([rowsOfAuth(service, text), service.sql(text)]);
}

/** Lets the only process of a service die by SIGKILL at the point, and starts it again. */
export async function crashAt(
  service: TasksCluster,
  [name, point]: readonly ['auth' | 'tasks' | 'scheduler', string],
  cause: () => Promise<unknown>,
): Promise<void> {
  writeFileSync(ordersFile, point);
  await cause().catch(() => undefined);
  await waitUntil(() => service.cluster.pid(name) === undefined);
  await service.cluster.start(name);
  await letLeasesRunOut(service);
}

/** Waits until nothing is left that could still become a mail or a membership. */
export async function untilSettled(service: TasksCluster): Promise<void> {
  const isEmpty = (rows: unknown[]): boolean => rows.length === 0;
  await waitUntil(() => service.sql('select 1 from outbox'), isEmpty);
  await waitUntil(() => rowsOfAuth(service, 'select 1 from outbox'), isEmpty);
  const unsent = `select 1 from mails where state in ('pending', 'in-doubt')`;
  await waitUntil(() => queryOnce(service.cluster.databaseUrl('scheduler'), unsent), isEmpty);
}
