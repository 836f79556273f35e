import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '#libs/devcluster';
import { Client } from 'pg';
import type { ListSessionsResponse } from '#contract/auth/v1/auth';
import { Task } from '#contract/tasks/v1/tasks';
import { policies, policyOf, reasonsOf, type MethodPolicy, type ServiceName } from '#libs/contract';
import { accessTable } from './access-table.ts';
import { findSecrets, ownSecretsOf, plantSecrets, readAllLogs, readAllMetrics, textOf, type Secrets } from './canaries.ts';
import { startOtlpReceiver, type OtlpReceiver } from './otlp-receiver.ts';
import { newEmail, startWorld, type Person, type World } from './start-world.ts';
import { requestTypeOf, textFieldsOf, withBytes } from './text-fields.ts';
import { encode, openWire, serviceOf, type Answer, type Credentials, type Wire } from './wire.ts';

let receiver: OtlpReceiver;
let world: World;
let person: Person;
let secrets: Secrets;
let wire: Wire;
const emails: string[] = [];
const answers: { path: string; answer: Answer }[] = [];

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  const env = { TASKFLOW_LOG_LEVEL: 'trace', TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000', TASKFLOW_OTLP_ENDPOINT: receiver.url };
  // Provisioning and migrating know secrets too.
  world = await startWorld({ copyDatabases: false, env });
  person = await world.register();
  secrets = await plantSecrets(world, person);
  wire = openWire(world.cluster, `App/${secret('password in a user agent')}`);
  await sendEverything();
}, 600_000);
afterAll(async () => {
  wire?.close();
  await world?.stop();
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
  'traceparent': `00-${secret('refresh token')}-01`,
  'x-api-key': secret('access token'),
  'cookie': `session=${secret('refresh token')}; password=${secret('wrong password')}`,
  'x-forwarded-for': secret('damaged refresh token'),
});

function withUnknownField(bytes: Buffer): Buffer {
  const value = Buffer.from(secret('password in an unknown field'));
  return Buffer.concat([bytes, new BinaryWriter().tag(999, WireType.LengthDelimited).bytes(value).finish()]);
}

async function credentialsFor({ access, callers, path }: MethodPolicy, { token }: Person): Promise<Credentials> {
  if (access === 'service') return { serviceToken: await world.serviceToken(callers[0] as ServiceName, serviceOf(path)) };
  return { token: access === 'admin' ? world.admin.token : token };
}

/** One method: as it should be, with a secret in each of its texts, with bad credentials, and with bytes that are no message. */
async function sendOne(policy: MethodPolicy): Promise<void> {
  const { path } = policy;
  // Somebody new each time: the calls change passwords and end sessions.
  const caller = await world.register();
  emails.push(caller.email);
  const people = { owner: caller, assignee: caller, other: caller, admin: world.admin };
  const request = () => accessTable.get(path)?.request({ world, people, caller: { ...caller } });
  const good = await credentialsFor(policy, caller);
  const base = encode(path, (await request()) ?? {});
  await send(path, withUnknownField(base), { ...good, metadata: strayMetadata() });

  const misplaced = ['password', 'wrong password', 'access token', 'successor of the refresh token', 'damaged refresh token'].map(secret);
  for (const field of textFieldsOf(requestTypeOf(policy))) {
    for (const value of [...misplaced, caller.email]) {
      await send(path, withBytes(requestTypeOf(policy), base, field, Buffer.from(value)), good);
    }
  }
  const bearers = ['damaged access token', 'refresh token', 'password as a bearer', 'service token'].map((name) => ({ token: secret(name) }));
  for (const bad of [...bearers, { serviceToken: secret('damaged service token') }, { serviceToken: secret('access token') }]) await send(path, base, bad);
  await send(path, Buffer.concat([base, Buffer.from('0a7f', 'hex'), Buffer.from(secret('wrong password'))]), good);
}

/** What people do with passwords, right and wrong. */
async function sendPasswords(): Promise<void> {
  const { email } = person;
  emails.push(email, newEmail());
  const register = (password: string, to = newEmail()) => send(authPath('Register'), { email: to, password, displayName: 'Ada' });
  for (const name of ['refused password', 'over-long password', 'password with a control character', 'new password']) await register(secret(name));
  await register(secret('wrong password'), email);
  for (const name of ['wrong password', 'over-long password', 'password']) await send(authPath('Login'), { email, password: secret(name) });
  await send(authPath('Login'), { email: emails[1], password: secret('wrong password') });
  await send(authPath('ListSessions'), {}, { token: secret('refreshed access token') });
  const token = secret('refreshed access token');
  await send(authPath('ChangePassword'), { currentPassword: secret('wrong password'), newPassword: secret('new password') }, { token });
  await send(authPath('ChangePassword'), { currentPassword: secret('password'), newPassword: secret('refused password') }, { token });
  await send(authPath('ChangeEmail'), { currentPassword: secret('wrong password'), newEmail: newEmail() }, { token });
  await send(authPath('ChangeEmail'), { currentPassword: secret('password'), newEmail: world.cluster.admin.email }, { token });
  await send(authPath('ChangePassword'), { currentPassword: secret('password'), newPassword: secret('new password') }, { token });
}

async function sendTokens(): Promise<void> {
  const title = `Note to self: ${secret('password in a title')}`;
  const description = [secret('access token'), secret('refresh token'), secret('password')].join('\n');
  const task = Task.fromPartial({ title, description, labels: [secret('password in a title').slice(0, 50)] });
  await send('/taskflow.tasks.v1.TasksService/CreateTask', { task }, { token: secret('administrator\'s access token') });
  for (const name of ['refresh token', 'successor of the refresh token', 'damaged refresh token', 'access token', 'password']) {
    await send(authPath('RefreshSession'), { refreshToken: secret(name) });
    await send(authPath('Logout'), { refreshToken: secret(name) });
  }
}

const tables: [ServiceName, string][] = [['auth', 'accounts'], ['auth', 'sessions'], ['auth', 'refresh_tokens'], ['users', 'profiles'], ['tasks', 'tasks']];

/** A fault of the database that quotes the row is the worst case. */
async function sendToBrokenDatabases(): Promise<void> {
  for (const [service, table] of tables) {
    const database = new Client({ connectionString: world.cluster.databaseUrl(service) });
    await database.connect();
    await database.query(`alter table ${table} add constraint canary check (false) not valid`);
    await database.end();
  }
  const fresh = { email: newEmail(), password: secret('new password'), displayName: secret('password in a title') };
  emails.push(fresh.email);
  await send(authPath('Register'), fresh);
  await send(authPath('Login'), { email: world.cluster.admin.email, password: secret('administrator\'s password') });
  const task = Task.fromPartial({ title: secret('password in a title'), description: secret('refresh token') });
  await send('/taskflow.tasks.v1.TasksService/CreateTask', { task }, { token: secret('administrator\'s access token') });
}

async function sendEverything(): Promise<void> {
  await sendPasswords();
  for (const policy of policies.values()) await sendOne(policy);
  await sendTokens();
  await sendToBrokenDatabases();
}

describe('D18: twenty planted secrets, sent through every method', () => {
  it('went in, with success and with failure', () => {
    expect(Object.keys(secrets)).toHaveLength(20);
    for (const value of Object.values(secrets)) expect(value).not.toBe('');
    for (const path of policies.keys()) {
      const outcomes = answers.filter((sent) => sent.path === path).map(({ answer }) => answer.outcome);
      expect([path, outcomes.includes('OK'), outcomes.some((outcome) => outcome !== 'OK')]).toEqual([path, true, true]);
    }
    const sessions = answers.flatMap(({ answer }) => (answer.response as Partial<ListSessionsResponse> | undefined)?.sessions ?? []);
    expect(sessions.some(({ userAgent }) => userAgent.includes(secret('password in a user agent')))).toBe(true);
    expect(answers.filter(({ answer }) => answer.outcome === 'INTERNAL/INTERNAL').length).toBeGreaterThanOrEqual(2);
  });

  it('are in no log of any service, of the migrations and of provisioning', () => {
    const logs = readAllLogs(world.cluster);
    expect(Object.keys(logs)).toEqual(expect.arrayContaining(['auth.log', 'users.log', 'tasks.log', 'scheduler.log', 'auth-migrate.log', 'provision.log']));
    const all = { ...secrets, ...ownSecretsOf(world.cluster) };
    for (const [name, text] of Object.entries(logs)) {
      expect([name, findSecrets(text, all), emails.filter((email) => text.includes(email))]).toEqual([name, [], []]);
    }
    // The search itself is worth something: calls are logged, and what was planted would be found.
    expect(logs['auth.log']).toContain(authPath('Register'));
    for (const [name, value] of Object.entries(secrets)) expect(findSecrets(`{"msg":"${value}"}`, secrets)).toContain(name);
  });

  it('are in no error, and neither is anybody\'s e-mail', () => {
    const all = { ...secrets, ...ownSecretsOf(world.cluster) };
    for (const { path, answer } of answers) {
      const text = textOf(answer);
      expect([path, findSecrets(text, all), emails.filter((email) => text.includes(email))]).toEqual([path, [], []]);
    }
  });

  it('were answered with no reason but those that the contract declares for the method', () => {
    const undeclared = answers.flatMap(({ path, answer }) => {
      const { own, request, access, any } = reasonsOf(policyOf(path));
      const reason = answer.outcome.split('/')[1];
      return reason === undefined || [...own, ...request, ...access, ...any].includes(reason) ? [] : [`${path} ${reason}`];
    });
    expect([...new Set(undeclared)]).toEqual([]);
  });

  it('are in no span', async () => {
    const asked = [...policies.keys()].map((path) => path.slice(1));
    // Exports are a second behind.
    await until(async () => new Set(receiver.spans.map(({ name }) => name)), (names) => asked.every((name) => names.has(name)));
    expect(receiver.spans.some(({ attributes }) => attributes['db.system.name'] === 'postgresql')).toBe(true);
    const text = receiver.received().toString('latin1');
    expect(findSecrets(text, { ...secrets, ...ownSecretsOf(world.cluster) })).toEqual([]);
    expect(emails.filter((email) => text.includes(email))).toEqual([]);
  });

  it('are in no metric', async () => {
    const text = await readAllMetrics(world.cluster);
    expect(text).toContain('grpc_server_handled_total');
    expect(findSecrets(text, { ...secrets, ...ownSecretsOf(world.cluster) })).toEqual([]);
    expect(emails.filter((email) => text.includes(email))).toEqual([]);
  });
});
