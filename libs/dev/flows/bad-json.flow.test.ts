import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callGateway, sendToGateway } from './gateway-wire.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';
import { untilOutcome } from './wire.ts';

const tasks = '/taskflow.tasks.v1.TasksService';
const auth = '/taskflow.auth.v1.AuthService';
const createTask = `${tasks}/CreateTask`;
const watchTasks = `${tasks}/WatchTasks`;
const listUsers = '/taskflow.users.v1.UsersService/ListUsers';
const passwordReset = `${auth}/RequestPasswordReset`;

/** So few calls that a test reaches the end. */
const limitsOf = (method: string): string =>
  JSON.stringify({ '*': 'unlimited', [method.slice(1)]: { requests: 4, perSeconds: 3600 } });

let testCluster: TestCluster;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  testCluster = await startTestCluster({
    services: ['auth', 'users', 'tasks', 'scheduler', 'gateway'],
    serviceEnv: {
      auth: { TASKFLOW_RATE_LIMITS: limitsOf(passwordReset) },
      tasks: { TASKFLOW_RATE_LIMITS: limitsOf(`${tasks}/GetTaskStats`) },
    },
  });
  const { register, createPersonalToken, wire } = testCluster;
  const ada = await register();
  const revoked = await createPersonalToken(ada);
  await wire.call(`${auth}/RevokePersonalToken`, { personalTokenId: revoked.id }, { token: ada.token });
  await untilOutcome(() => wire.call(createTask, {}, { token: revoked.token }), 'UNAUTHENTICATED/TOKEN_INVALID');
  tokens['a session'] = ada.token;
  tokens['a revoked token'] = revoked.token;
  tokens['a token that is none'] = 'tfp_none';
  tokens['a token that may read only'] = (await createPersonalToken(ada, ['tasks:read'])).token;
}, 120_000);
afterAll(() => testCluster?.stop());

const address = (): string => testCluster.cluster.address('gateway');

const long = 'a'.repeat(100_000);
const badTexts: Record<string, string> = {
  'an unknown member': '{"nope":1}',
  'a value of another type': '{"requestId":{}}',
  'no JSON': '{',
  'a long text that is no JSON': `{"requestId":"${long}`,
  'an unknown member of a long JSON': `{"nope":"${long}"}`,
};

/** What the service says over gRPC to bytes that are no request. */
const overGrpc = async (path: string, token: string | undefined): Promise<string> =>
  (await testCluster.wire.call(path, Buffer.from([0xff]), { token })).outcome;

const overJson = async (path: string, text: string, token: string | undefined): Promise<string> =>
  (await sendToGateway(address(), path, text, { token })).outcome;

/** A request that cannot be read has no fields that could be named, over gRPC. */
const ofFaults = 'INVALID_ARGUMENT/MALFORMED_REQUEST';

describe('bad JSON is refused for the caller first, as by gRPC', () => {
  it.each([
    [createTask, 'nobody', 'UNAUTHENTICATED/CREDENTIALS_MISSING'],
    [createTask, 'a token that is none', 'UNAUTHENTICATED/TOKEN_INVALID'],
    [createTask, 'a revoked token', 'UNAUTHENTICATED/TOKEN_INVALID'],
    [createTask, 'a token that may read only', 'PERMISSION_DENIED/MISSING_SCOPE'],
    [createTask, 'a session', ofFaults],
    [watchTasks, 'nobody', 'UNAUTHENTICATED/CREDENTIALS_MISSING'],
    [watchTasks, 'a revoked token', 'UNAUTHENTICATED/TOKEN_INVALID'],
    [watchTasks, 'a session', ofFaults],
    [listUsers, 'a session', 'PERMISSION_DENIED/ADMIN_REQUIRED'],
    [`${auth}/ChangePassword`, 'a token that may read only', 'PERMISSION_DENIED/SESSION_REQUIRED'],
  ])('%s by %s: %s', async (path, who, expected) => {
    const token = tokens[who];
    const told: Record<string, string> = { 'over gRPC': await overGrpc(path, token) };
    for (const [what, text] of Object.entries(badTexts)) told[what] = await overJson(path, text, token);
    const isAdmitted = expected === ofFaults;
    const named = isAdmitted ? 'INVALID_ARGUMENT/INVALID_FIELD' : expected;
    expect(told).toEqual({
      'over gRPC': expected,
      'an unknown member': named,
      'a value of another type': named,
      'no JSON': expected,
      'a long text that is no JSON': expected,
      'an unknown member of a long JSON': named,
    });
  });

  it.each([
    ['per person', `${tasks}/GetTaskStats`, 'a session'],
    ['per address', passwordReset, 'nobody'],
  ])('and counts against a limit %s', async (_what, path, who) => {
    const outcomes: string[] = [];
    for (let count = 0; count < 6; count += 1) outcomes.push(await overJson(path, '{"nope":1}', tokens[who]));
    expect(outcomes).toEqual([
      ...Array.from({ length: 4 }, () => 'INVALID_ARGUMENT/INVALID_FIELD'),
      ...Array.from({ length: 2 }, () => 'RESOURCE_EXHAUSTED/RATE_LIMITED'),
    ]);
    expect(await overGrpc(path, tokens[who])).toBe('RESOURCE_EXHAUSTED/RATE_LIMITED');
  });
});

const postAsAgent = (body: string, token = ''): Promise<Response> =>
  fetch(`http://${address()}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body,
  });

describe('bad arguments of an agent are refused for the caller first', () => {
  it.each([
    ['a token that is none', 'TOKEN_INVALID'],
    ['a revoked token', 'TOKEN_INVALID'],
    ['a token that may read only', 'MISSING_SCOPE'],
    ['a session', 'INVALID_FIELD'],
  ])('with %s: %s', async (who, reason) => {
    const params = { name: 'create_task', arguments: { title: 5 } };
    const message = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    expect(await (await postAsAgent(message, tokens[who])).text()).toContain(`"reason":"${reason}"`);
  });
});

describe('what is not read before it is known who sends it', () => {
  it('is the request of somebody without credentials', async () => {
    const headers = { 'content-type': 'application/json', 'content-length': '1000000' };
    const call = request(`http://${address()}${createTask}`, { method: 'POST', headers });
    call.on('error', () => undefined).flushHeaders();
    const [answer] = (await once(call, 'response')) as [{ statusCode: number }];
    expect(answer.statusCode).toBe(401);
    call.destroy();
  });

  it('is long JSON for a method that anybody may call: no request for it is so long', async () => {
    const login = { email: 'nobody@example.com', password: 'long enough' };
    const good = await callGateway(address(), `${auth}/Login`, login);
    const text = JSON.stringify({ ...login, password: long });
    expect([good.outcome, await overJson(`${auth}/Login`, text, undefined)]).toEqual([
      'UNAUTHENTICATED/CREDENTIALS_INVALID',
      'RESOURCE_EXHAUSTED/REQUEST_TOO_LARGE',
    ]);
  });

  it('is a long message of an agent whose token is none', async () => {
    const response = await postAsAgent(`[${long}`, 'tfp_none');
    expect([response.status, await response.text()]).toEqual([401, expect.stringContaining('TOKEN_INVALID')]);
  });

  it('does not keep long requests of others from being answered', async () => {
    const { token } = await testCluster.register();
    const task = { title: 'long', description: '€'.repeat(10_000) };
    const text = JSON.stringify({ requests: Array.from({ length: 20 }, () => ({ task })) });
    expect(await overJson(`${tasks}/BatchCreateTasks`, text, token)).toBe('OK');
  });
});
