import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { queryDatabase, waitUntil } from '#dev/cluster';
import type { ListSessionsResponse } from '#contract/auth/v1/auth';
import { Task } from '#contract/tasks/v1/tasks';
import { policies, policyOf, reasonsOf, type MethodPolicy, type ServiceName } from '#libs/contract';
import { accessTable } from './access-table.ts';
import {
  findSecrets,
  ownSecretsOf,
  plantSecrets,
  readAllLogs,
  readAllMetrics,
  textOf,
  type Secrets,
} from './canaries.ts';
import { startOtlpReceiver, type OtlpReceiver } from '#dev/testing';
import { startTalkativeServers, type TalkativeServers } from './talkative-servers.ts';
import { newEmail, startTestCluster, type Person, type TestCluster } from './test-cluster.ts';
import { requestTypeOf, textFieldsOf, withBytes } from './text-fields.ts';
import { encode, openWire, type Answer, type Credentials, type Wire } from './wire.ts';

let receiver: OtlpReceiver;
let servers: TalkativeServers;
let testCluster: TestCluster;
let person: Person;
let secrets: Secrets;
let wire: Wire;
const emails: string[] = [];
const answers: { path: string; answer: Answer }[] = [];

beforeAll(async () => {
  [receiver, servers] = await Promise.all([startOtlpReceiver(), startTalkativeServers()]);
  // Counted limits, so that Redis hears of every call.
  const TASKFLOW_RATE_LIMITS = JSON.stringify({ '*': { requests: 1_000_000_000, perSeconds: 60 } });
  const env = {
    TASKFLOW_RATE_LIMITS,
    TASKFLOW_LOG_LEVEL: 'trace',
    TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
    TASKFLOW_OTLP_ENDPOINT: receiver.url,
  };
  // Provisioning and migrating know secrets too.
  testCluster = await startTestCluster({
    postgresAdminUrl: servers.postgresAdminUrl,
    redisUrl: servers.redisUrl,
    copyDatabases: false,
    env,
  });
  person = await testCluster.register();
  secrets = await plantSecrets(testCluster, person);
  wire = openWire(testCluster.cluster, `App/${secret('password in a user agent')}`);
  await sendEverything();
}, 600_000);
afterAll(async () => {
  wire?.close();
  await testCluster?.stop();
  await servers?.stop();
  await receiver?.stop();
});

const secret = (name: string): string => {
  const value = secrets[name];
  if (value === undefined) throw new Error(`nothing is planted as "${name}"`);
  return value;
};

async function send(path: string, request: object | Buffer, credentials?: Credentials): Promise<Answer> {
  const answer = await wire.call(path, request, credentials);
  answers.push({ path, answer });
  return answer;
}

const authPath = (method: string): string => `/taskflow.auth.v1.AuthService/${method}`;

/** Secrets where they do not belong: around the request. */
const strayMetadata = (): Record<string, string> => ({
  'x-request-id': secret('refresh token'),
  traceparent: `00-${secret('refresh token')}-01`,
  'x-api-key': secret('access token'),
  cookie: `session=${secret('refresh token')}; password=${secret('wrong password')}`,
  'x-forwarded-for': secret('damaged refresh token'),
});

function withUnknownField(bytes: Buffer): Buffer {
  const value = Buffer.from(secret('password in an unknown field'));
  return Buffer.concat([bytes, new BinaryWriter().tag(999, WireType.LengthDelimited).bytes(value).finish()]);
}

/** One method: as it should be, with a secret in each of its texts, with bad credentials, and with bytes that are no message. */
async function sendOne(policy: MethodPolicy): Promise<void> {
  const { path } = policy;
  // Somebody new each time: the calls change passwords and end sessions.
  const caller = await testCluster.register();
  emails.push(caller.email);
  const people = { owner: caller, assignee: caller, other: caller, admin: testCluster.admin };
  const request = () => accessTable.get(path)?.request({ testCluster, people, caller: { ...caller } });
  const good = await testCluster.credentialsFor(policy, caller);
  const base = encode(path, (await request()) ?? {});
  await send(path, withUnknownField(base), { ...good, metadata: strayMetadata() });

  const misplaced = [
    'password',
    'wrong password',
    'access token',
    'personal token',
    'successor of the refresh token',
    'damaged refresh token',
  ].map(secret);
  for (const field of textFieldsOf(requestTypeOf(policy))) {
    for (const value of [...misplaced, caller.email]) {
      await send(path, withBytes(requestTypeOf(policy), base, field, Buffer.from(value)), good);
    }
  }
  const bearers = [
    'damaged access token',
    'personal token',
    'refresh token',
    'password as a bearer',
    'service token',
  ].map((name) => ({
    token: secret(name),
  }));
  for (const bad of [
    ...bearers,
    { serviceToken: secret('damaged service token') },
    { serviceToken: secret('access token') },
  ])
    await send(path, base, bad);
  await send(path, Buffer.concat([base, Buffer.from('0a7f', 'hex'), Buffer.from(secret('wrong password'))]), good);
}

/** What people do with passwords, right and wrong. */
async function sendPasswords(): Promise<void> {
  const { email } = person;
  emails.push(email, newEmail());
  const register = (password: string, to = newEmail()) =>
    send(authPath('Register'), { email: to, password, displayName: 'Ada' });
  for (const name of ['refused password', 'over-long password', 'password with a control character', 'new password'])
    await register(secret(name));
  await register(secret('wrong password'), email);
  const invitationToken = secret('invitation token');
  await send(authPath('Register'), { email, password: secret('new password'), displayName: 'Ada', invitationToken });
  for (const name of ['wrong password', 'over-long password', 'password'])
    await send(authPath('Login'), { email, password: secret(name) });
  await send(authPath('Login'), { email: emails[1], password: secret('wrong password') });
  await send(authPath('ListSessions'), {}, { token: secret('refreshed access token') });
  const token = secret('refreshed access token');
  const change = (what: 'Password' | 'Email', current: string, next: string) =>
    send(authPath(`Change${what}`), { currentPassword: secret(current), [`new${what}`]: next }, { token });
  await change('Password', 'wrong password', secret('new password'));
  await change('Password', 'password', secret('refused password'));
  await change('Email', 'wrong password', newEmail());
  await change('Email', 'password', testCluster.cluster.admin.email);
  // Somebody else takes the e-mail before it is verified.
  const wanted = newEmail();
  emails.push(wanted);
  await change('Email', 'password', wanted);
  const verification = await testCluster.mailVerification(wanted);
  await register(secret('new password'), wanted);
  await send(authPath('VerifyEmail'), { token: verification.token });
  await change('Password', 'password', secret('new password'));
}

/** Refused, used, and used again. */
async function sendOneTimeTokens(): Promise<void> {
  const token = secret('password reset token');
  for (const name of ['refused password', 'new password', 'new password'])
    await send(authPath('ResetPassword'), { token, newPassword: secret(name) });
  for (const name of ['verification token', 'verification token', 'password reset token'])
    await send(authPath('VerifyEmail'), { token: secret(name) });
}

async function sendTokens(): Promise<void> {
  const title = `Note to self: ${secret('password in a title')}`;
  const description = [secret('access token'), secret('refresh token'), secret('password')].join('\n');
  const task = Task.fromPartial({ title, description, labels: [secret('password in a title').slice(0, 50)] });
  await send('/taskflow.tasks.v1.TasksService/CreateTask', { task }, { token: secret("administrator's access token") });
  for (const name of [
    'refresh token',
    'successor of the refresh token',
    'damaged refresh token',
    'access token',
    'password',
  ]) {
    await send(authPath('RefreshSession'), { refreshToken: secret(name) });
    await send(authPath('Logout'), { refreshToken: secret(name) });
  }
}

const tables: [ServiceName, string][] = [
  ['auth', 'accounts'],
  ['auth', 'invitations'],
  ['auth', 'account_tokens'],
  ['auth', 'mails'],
  ['auth', 'sessions'],
  ['auth', 'personal_tokens'],
  ['auth', 'refresh_tokens'],
  ['users', 'profiles'],
  ['tasks', 'tasks'],
];

/** A fault of the database that quotes the row is the worst case. */
async function sendToBrokenDatabases(): Promise<void> {
  for (const [service, table] of tables)
    await queryDatabase(
      testCluster.cluster.databaseUrl(service),
      `alter table ${table} add constraint canary check (false) not valid`,
    );
  const fresh = { email: newEmail(), password: secret('new password'), displayName: secret('password in a title') };
  emails.push(fresh.email);
  await send(authPath('Register'), fresh);
  await send(authPath('InviteUser'), { email: fresh.email }, { token: secret("administrator's access token") });
  await send(authPath('Login'), {
    email: testCluster.cluster.admin.email,
    password: secret("administrator's password"),
  });
  const task = Task.fromPartial({ title: secret('password in a title'), description: secret('refresh token') });
  await send('/taskflow.tasks.v1.TasksService/CreateTask', { task }, { token: secret("administrator's access token") });
}

async function sendEverything(): Promise<void> {
  await sendPasswords();
  for (const policy of policies.values()) await sendOne(policy);
  await sendTokens();
  await sendOneTimeTokens();
  await sendToBrokenDatabases();
}

/** Nobody's secret and nobody's e-mail stands in the text. */
function expectClean(where: string, text: string): void {
  const found = findSecrets(text, { ...secrets, ...ownSecretsOf(testCluster.cluster) });
  expect([where, found, emails.filter((email) => text.includes(email))]).toEqual([where, [], []]);
}

describe('D18: planted secrets, sent through every method', () => {
  it('went in, with success and with failure', () => {
    expect(Object.keys(secrets)).toHaveLength(24);
    for (const value of Object.values(secrets)) expect(value).not.toBe('');
    for (const path of policies.keys()) {
      const outcomes = answers.filter((sent) => sent.path === path).map(({ answer }) => answer.outcome);
      const best = accessTable.get(path)?.answers?.owner ?? 'OK';
      expect([path, outcomes.includes(best), outcomes.some((outcome) => outcome !== best)]).toEqual([path, true, true]);
    }
    const sessions = answers.flatMap(
      ({ answer }) => (answer.response as Partial<ListSessionsResponse> | undefined)?.sessions ?? [],
    );
    expect(sessions.some(({ userAgent }) => userAgent.includes(secret('password in a user agent')))).toBe(true);
    expect(answers.filter(({ answer }) => answer.outcome === 'INTERNAL/INTERNAL').length).toBeGreaterThanOrEqual(2);
  });

  it('are in no log of any service, of the migrations and of provisioning', () => {
    const logs = readAllLogs(testCluster.cluster);
    expect(Object.keys(logs)).toEqual(
      expect.arrayContaining([
        'auth.log',
        'users.log',
        'tasks.log',
        'scheduler.log',
        'auth-migrate.log',
        'provision.log',
      ]),
    );
    for (const [name, text] of Object.entries(logs)) expectClean(name, text);
    // The search itself is worth something: calls are logged, and what was planted would be found.
    expect(logs['auth.log']).toContain(authPath('Register'));
    for (const [name, value] of Object.entries(secrets))
      expect(findSecrets(`{"msg":"${value}"}`, secrets)).toContain(name);
  });

  it("are in no error, and neither is anybody's e-mail", () => {
    for (const { path, answer } of answers) expectClean(path, textOf(answer));
  });

  it('were answered with no reason but those that the contract declares for the method', () => {
    const undeclared = answers.flatMap(({ path, answer }) => {
      const { own, request, access, any } = reasonsOf(policyOf(path));
      const reason = answer.outcome.split('/')[1];
      return reason === undefined || [...own, ...request, ...access, ...any].includes(reason)
        ? []
        : [`${path} ${reason}`];
    });
    expect([...new Set(undeclared)]).toEqual([]);
  });

  it('are in no span', async () => {
    const asked = [...policies.keys()].map((path) => path.slice(1));
    // Exports are a second behind.
    await waitUntil(
      async () => {
        const names = new Set(receiver.spans.map(({ name }) => name));
        return asked.filter((name) => !names.has(name));
      },
      (missing) => missing.length === 0,
    );
    expect(receiver.spans.some(({ attributes }) => attributes['db.system.name'] === 'postgresql')).toBe(true);
    expectClean('spans', receiver.received().toString('latin1'));
  });

  it('are in no log of PostgreSQL, although it logs every statement and every error', () => {
    const text = servers.readPostgresLog();
    // Statements and errors are there, and with them what would show a value that is text.
    for (const sign of [
      'insert into "accounts"',
      'insert into idempotency_records',
      'duplicate key value',
      'violates check constraint',
      'alter role',
    ])
      expect(text).toContain(sign);
    expectClean('PostgreSQL', text);
  });

  it('reach Redis neither in its log nor in a command', () => {
    const text = servers.readRedis();
    for (const sign of ['evalsha', 'bull', 'taskflow-']) expect(text).toContain(sign);
    expectClean('Redis', text);
  });

  it('are in no metric', async () => {
    const text = await readAllMetrics(testCluster.cluster);
    expect(text).toContain('grpc_server_handled_total');
    expectClean('metrics', text);
  });
});
