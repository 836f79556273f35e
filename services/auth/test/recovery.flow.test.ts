import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Role } from '#contract/auth/v1/auth';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import { serviceNames, waitUntil } from '#dev/cluster';
import { kindAndReason, queryOnce, startMailServer, type ReceivedMail } from '#dev/testing';
import { retry } from '#dev/stubs';
import { as, registration, tokenInvalid, untilRefused } from './factories.ts';
import { startAuthCluster } from './start-cluster.ts';

const ordersFile = join(process.env['TASKFLOW_TEST_DIR'] ?? '', `recovery-orders-${process.pid}`);
const server = await startMailServer();
const {
  cluster,
  auth: authAt,
  open,
  signInAsAdmin,
  sql,
  stop,
} = await startAuthCluster({
  services: serviceNames,
  env: {
    TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
    TASKFLOW_CRASH_FILE: ordersFile,
    TASKFLOW_MAIL: 'smtp',
    TASKFLOW_SCHEDULER_SMTP_URL: server.url,
    TASKFLOW_SCHEDULER_SMTP_AUTHORITY: server.authority,
    TASKFLOW_SCHEDULER_MAIL_SENDER: 'TaskFlow <taskflow@mail.example.com>',
    TASKFLOW_SCHEDULER_MAIL_RETRY_MS: '200',
  },
});
afterAll(async () => {
  rmSync(ordersFile, { force: true });
  await stop();
  await server.stop();
});
const auth = authAt(0);
const users = open(UsersServiceService, 'users');
const tasks = open(TasksServiceService, 'tasks');

const newPassword = 'another horse battery';
const subjects = {
  reset: 'Set a new password',
  verification: 'Confirm your e-mail address',
  invitation: 'You are invited to TaskFlow',
  created: 'Your TaskFlow account is ready',
  recovered: 'Your password was reset',
  changeRequested: 'Your e-mail address is about to change',
  changed: 'Your e-mail address was changed',
};

const mailsTo = (email: string, subject: string): ReceivedMail[] =>
  server.accepted.filter((mail) => mail.recipients.includes(email) && mail.subject === subject);

/** The only mail of this subject to an address. */
async function mailTo(email: string, subject: string): Promise<ReceivedMail> {
  const mails = await waitUntil(
    () => mailsTo(email, subject),
    (all) => all.length > 0,
  );
  expect(mails).toHaveLength(1);
  return mails[0] as ReceivedMail;
}

/** As a person reads it. */
const tokenIn = ({ text }: ReceivedMail): string => /\btf[iwv]_[\w-]{43}\b/.exec(text)?.[0] ?? '';

async function register() {
  const request = registration();
  await auth.register(request);
  return request;
}

/** The calls of auth that were being made when it died are due again; their leases have run out. */
async function letLeasesRunOut(): Promise<void> {
  await sql('update outbox set next_attempt_time = clock_timestamp() where attempts > 0');
}

/** Lets the only process of a service die by SIGKILL at the point, and starts it again. */
async function crashAt(
  point: string,
  cause: () => Promise<unknown>,
  service: 'auth' | 'scheduler' = 'auth',
): Promise<void> {
  writeFileSync(ordersFile, point);
  await cause().catch(() => undefined);
  await waitUntil(() => cluster.pid(service) === undefined);
  await letLeasesRunOut();
  await cluster.start(service);
}

/** Waits until nothing is left that could still become a mail. */
async function untilMailsAreSent(): Promise<void> {
  const isEmpty = (rows: unknown[]): boolean => rows.length === 0;
  await waitUntil(() => sql('select 1 from outbox'), isEmpty);
  const unsent = `select 1 from mails where state in ('pending', 'in-doubt')`;
  await waitUntil(() => queryOnce(cluster.databaseUrl('scheduler'), unsent), isEmpty);
}

describe('A12: by mail, in the whole cluster', () => {
  it('a person who forgot the password gets back in, and everybody else is signed out', async () => {
    const request = registration();
    const { tokens } = await auth.register(request);
    const thief = as({ tokens });
    await retry(() => users.getMe({}, thief));
    await auth.requestPasswordReset({ email: request.email });
    const mail = await mailTo(request.email, subjects.reset);
    expect(mail.from).toContain('taskflow@mail.example.com');
    await auth.resetPassword({ token: tokenIn(mail), newPassword });

    const back = await auth.login({ ...request, password: newPassword });
    expect(back.account?.emailVerified).toBe(true);
    await retry(() => tasks.listTasks({}, as(back)));
    const calls = [() => auth.listSessions({}, thief), () => users.getMe({}, thief), () => tasks.listTasks({}, thief)];
    for (const call of calls) expect((await untilRefused(call)).error).toMatchObject(tokenInvalid);
    expect((await mailTo(request.email, subjects.recovered)).text).toContain('All sessions have ended');
    expect(await kindAndReason(auth.resetPassword({ token: tokenIn(mail), newPassword }))).toBe(
      'failed_precondition/RESET_INVALID',
    );
    await waitUntil(
      () => users.getMe({}, as(back)),
      ({ user }) => user?.emailVerified === true,
    );
  }, 120_000);

  it('an e-mail is verified, and another one takes its place, of which the old one hears', async () => {
    const request = registration();
    const { tokens } = await auth.register(request);
    const { account } = await auth.verifyEmail({ token: tokenIn(await mailTo(request.email, subjects.verification)) });
    expect(account?.emailVerified).toBe(true);
    const { email } = registration();
    await auth.changeEmail({ currentPassword: request.password, newEmail: email }, as({ tokens }));
    expect((await mailTo(request.email, subjects.changeRequested)).text).toContain(email);
    await auth.verifyEmail({ token: tokenIn(await mailTo(email, subjects.verification)) });
    expect((await mailTo(request.email, subjects.changed)).text).toContain(email);
    await auth.login({ ...request, email });
  }, 120_000);

  it('a person for whom an administrator has made an account sets its password by the mail', async () => {
    const { email } = registration();
    const request = { email, displayName: 'Grace', role: Role.USER };
    await auth.createAccount(request, as(await signInAsAdmin()));
    const token = tokenIn(await mailTo(email, subjects.created));
    const { account } = await auth.resetPassword({ token, newPassword });
    expect(account?.emailVerified).toBe(true);
    await auth.login({ email, password: newPassword });
  }, 120_000);

  it('an invited person registers with the token of the mail, and is verified by it', async () => {
    const { email } = registration();
    await auth.inviteUser({ email }, as(await signInAsAdmin()));
    const invitationToken = tokenIn(await mailTo(email, subjects.invitation));
    const { account } = await auth.register(registration({ email, invitationToken }));
    expect(account?.emailVerified).toBe(true);
  }, 120_000);
});

describe('a reset of which a service is killed', () => {
  it.each([
    ['auth', 'request.after-commit.password_reset'],
    ['auth', 'wish.before-commit.password_reset'],
    ['auth', 'wish.after-commit.password_reset'],
    ['auth', 'outbox.after-call.carry-out-wish'],
    ['auth', 'outbox.after-call.hand-over-mail'],
    ['auth', 'mail.before-answer.password_reset'],
    ['scheduler', 'claim.after-commit.send-mail'],
    ['scheduler', 'mail.before-message'],
  ] as const)(
    '%s at %s: sends exactly one mail, and its token works',
    async (service, point) => {
      const request = await register();
      await mailTo(request.email, subjects.verification);
      await crashAt(point, () => auth.requestPasswordReset({ email: request.email }), service);
      const token = tokenIn(await mailTo(request.email, subjects.reset));
      await untilMailsAreSent();
      expect(mailsTo(request.email, subjects.reset)).toHaveLength(1);
      await retry(() => auth.resetPassword({ token, newPassword }));
      await auth.login({ ...request, password: newPassword });
    },
    300_000,
  );

  it('auth before the wish is stored: sends no mail, and one once the person asks again', async () => {
    const request = await register();
    await mailTo(request.email, subjects.verification);
    await crashAt('request.before-commit.password_reset', () => auth.requestPasswordReset({ email: request.email }));
    await untilMailsAreSent();
    expect(mailsTo(request.email, subjects.reset)).toEqual([]);
    await retry(() => auth.requestPasswordReset({ email: request.email }));
    const token = tokenIn(await mailTo(request.email, subjects.reset));
    await untilMailsAreSent();
    expect(mailsTo(request.email, subjects.reset)).toHaveLength(1);
    await auth.resetPassword({ token, newPassword });
    await auth.login({ ...request, password: newPassword });
  }, 300_000);

  it('auth before the password is stored: nothing has happened, and the token still works', async () => {
    const request = await register();
    await auth.requestPasswordReset({ email: request.email });
    const token = tokenIn(await mailTo(request.email, subjects.reset));
    await crashAt('reset.before-commit', () => auth.resetPassword({ token, newPassword: 'a third horse battery' }));
    await retry(() => auth.login(request));
    await auth.resetPassword({ token, newPassword });
    await auth.login({ ...request, password: newPassword });
    await mailTo(request.email, subjects.recovered);
  }, 300_000);

  it('auth after it: the password counts, the token has gone, and the owner is told once', async () => {
    const request = await register();
    await auth.requestPasswordReset({ email: request.email });
    const token = tokenIn(await mailTo(request.email, subjects.reset));
    await crashAt('reset.after-commit', () => auth.resetPassword({ token, newPassword }));
    await retry(() => auth.login({ ...request, password: newPassword }));
    expect(await kindAndReason(auth.resetPassword({ token, newPassword }))).toBe('failed_precondition/RESET_INVALID');
    await mailTo(request.email, subjects.recovered);
    await untilMailsAreSent();
    expect(mailsTo(request.email, subjects.recovered)).toHaveLength(1);
  }, 300_000);

  it('the scheduler, away while it is asked for: the mail is sent when it is back', async () => {
    const request = await register();
    await cluster.kill('scheduler', 'SIGKILL');
    await auth.requestPasswordReset({ email: request.email });
    await waitUntil(
      () => sql(`select 1 from outbox where kind = 'hand-over-mail' and last_error is not null`),
      (rows) => rows.length > 0,
    );
    await cluster.start('scheduler');
    await letLeasesRunOut();
    await auth.resetPassword({ token: tokenIn(await mailTo(request.email, subjects.reset)), newPassword });
  }, 300_000);
});

describe('a verification during which auth is killed', () => {
  it.each(['verify.before-commit', 'verify.after-commit'])(
    'at %s: the new e-mail counts in the end, and the old one is told once',
    async (point) => {
      const request = registration();
      const { tokens } = await auth.register(request);
      const { email } = registration();
      await auth.changeEmail({ currentPassword: request.password, newEmail: email }, as({ tokens }));
      const token = tokenIn(await mailTo(email, subjects.verification));
      await crashAt(point, () => auth.verifyEmail({ token }));
      // It has either happened or can be done again.
      await auth.verifyEmail({ token }).catch(() => undefined);
      await retry(() => auth.login({ ...request, email }));
      await mailTo(request.email, subjects.changed);
      await untilMailsAreSent();
      expect(mailsTo(request.email, subjects.changed)).toHaveLength(1);
    },
    300_000,
  );
});
