import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { text as readText } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { checkoutRoot, queryDatabase, waitUntil } from '#dev/cluster';
import { failTool, openHttpAgent, postMessage, rpc, stdioProgram, useTool, type RawAnswer } from './agents.ts';
import { startTestCluster, type Person, type TestCluster } from './test-cluster.ts';

const site = 'https://app.example.com';
/** So few calls that a test reaches the end. */
const limits = {
  '*': 'unlimited',
  'taskflow.tasks.v1.TasksService/ListTaskEvents': { requests: 2, perSeconds: 3600 },
};

let testCluster: TestCluster;
let ada: Person;
let token: string;
const agents: Client[] = [];

beforeAll(async () => {
  testCluster = await startTestCluster({
    services: ['auth', 'users', 'tasks', 'scheduler', 'gateway'],
    serviceEnv: {
      gateway: { TASKFLOW_GATEWAY_CORS_ORIGINS: site, TASKFLOW_TRUSTED_PROXIES: '127.0.0.1/32' },
      tasks: { TASKFLOW_RATE_LIMITS: JSON.stringify(limits) },
    },
  });
  ada = await testCluster.register();
  ({ token } = await testCluster.createPersonalToken(ada));
}, 120_000);
afterEach(() => Promise.all(agents.splice(0).map((agent) => agent.close())));
afterAll(() => testCluster?.stop());

async function open(...[own, options]: Parameters<typeof openHttpAgent> extends [unknown, ...infer R] ? R : never) {
  const agent = await openHttpAgent(testCluster.cluster, own, options);
  agents.push(agent);
  return agent;
}

const url = (): string => `http://${testCluster.cluster.address('gateway')}/mcp`;

const post = (body: string, headers: Record<string, string> = {}, method = 'POST'): Promise<RawAnswer> =>
  postMessage(testCluster.cluster, token, body, { method, headers });

/** The reason in an error of the gateway. */
const reasonOf = ({ text }: RawAnswer): unknown =>
  (JSON.parse(text) as { details: { debug?: { reason?: string } }[] }).details.find(({ debug }) => debug?.reason)?.debug
    ?.reason;

describe('J9: at the door', () => {
  it.each(['initialize', 'server/discover', 'tools/list'])('%s without a good token is 401', async (method) => {
    const none = await fetch(url(), {
      method: 'POST',
      body: rpc(method),
      headers: { 'content-type': 'application/json' },
    });
    expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    const wrong = await post(rpc(method), { authorization: 'Bearer tfp_wrong' });
    expect([wrong.status, wrong.headers.get('www-authenticate'), reasonOf(wrong)]).toEqual([
      401,
      'Bearer',
      'TOKEN_INVALID',
    ]);
  });

  it('a client with no token, a revoked one and an expired one is refused', async () => {
    await expect(open(undefined)).rejects.toThrow();
    const revoked = await testCluster.createPersonalToken(ada);
    const agent = await open(revoked.token);
    await useTool(agent, 'get_me');
    const revoke = '/taskflow.auth.v1.AuthService/RevokePersonalToken';
    await testCluster.wire.call(revoke, { personalTokenId: revoked.id }, { token: ada.token });
    const isRefused = async () => (await agent.callTool({ name: 'get_me' })).isError === true;
    await waitUntil(isRefused);
    expect(await failTool(agent, 'get_me')).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID' });
    await waitUntil(
      () => post(rpc('tools/list'), { authorization: `Bearer ${revoked.token}` }),
      ({ status }) => status === 401,
    );
    await expect(open(revoked.token)).rejects.toThrow();

    const expired = await testCluster.createPersonalToken(ada);
    const text = "update personal_tokens set expire_time = now() - interval '1 second' where id = $1";
    await queryDatabase(testCluster.cluster.databaseUrl('auth'), text, [expired.id]);
    await expect(open(expired.token)).rejects.toThrow();
  });

  it('pages of other sites are refused, those of the setting and programs are not', async () => {
    const foreign = await post(rpc('tools/list'), { origin: 'https://evil.example.com' });
    expect([foreign.status, reasonOf(foreign)]).toEqual([403, 'ORIGIN_NOT_ALLOWED']);
    expect((await post(rpc('tools/list'), { origin: 'null' })).status).toBe(403);
    const own = await post(rpc('tools/list'), { origin: site });
    expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([200, site]);
    const asked = await fetch(url(), { method: 'OPTIONS', headers: { origin: site } });
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-headers')).toMatch(/authorization.*mcp-protocol-version/);
    expect((await fetch(url(), { method: 'OPTIONS', headers: { origin: 'https://evil.example.com' } })).status).toBe(
      403,
    );
  });

  it('refuses what is too much or comes another way, with the reasons of all other calls', async () => {
    const cases = await Promise.all([
      post(JSON.stringify({ a: 'x'.repeat(5 * 1024 * 1024) })),
      post('', {}, 'GET'),
      post('', {}, 'DELETE'),
      post(rpc('tools/list'), { 'content-encoding': 'gzip' }),
    ]);
    expect(cases.map((one) => [one.status, reasonOf(one)])).toEqual([
      [429, 'REQUEST_TOO_LARGE'],
      [405, 'UNIMPLEMENTED'],
      [405, 'UNIMPLEMENTED'],
      [415, 'UNIMPLEMENTED'],
    ]);
    for (const { headers } of cases) expect(headers.get('x-request-id')).toMatch(/./);
    const unknown = await post(rpc('tools/call', { name: 'drop_database', arguments: {} }));
    expect(unknown.text).toContain('there is no such tool');
    expect((await post(rpc('tasks/everything'))).text).toContain('-32601');
  });

  it('answers over HTTP/2 too', async () => {
    const session = connectHttp2(url());
    const stream = session.request({
      ':method': 'POST',
      ':path': '/mcp',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    });
    stream.end(rpc('tools/list'));
    expect(await readText(stream)).toContain('create_task');
    session.close();
  });

  it('offers nothing to subscribe to', async () => {
    const agent = await open(token);
    expect(agent.getServerCapabilities()).toEqual({ tools: {}, resources: {} });
  });
});

describe('J9: from outside', () => {
  it('a call has the name, the address and the limits of the agent that makes it', async () => {
    const agent = await open(token, { headers: { 'x-request-id': 'of-an-agent', 'x-forwarded-for': '203.0.113.9' } });
    expect(await failTool(agent, 'get_task', { taskId: ada.id })).toMatchObject({ callId: 'of-an-agent' });
    const line = await waitUntil(
      async () =>
        testCluster.cluster
          .logs('tasks')
          .split('\n')
          .find((text) => text.includes('"of-an-agent"') && text.includes('GetTask')),
      (found) => found !== undefined,
    );
    expect(JSON.parse(line ?? '')).toMatchObject({ peer: '203.0.113.9', reason: 'TASK_NOT_FOUND', userId: ada.id });
  });

  it('a limit of a method is that of its person, and says when to try again', async () => {
    const person = await testCluster.register();
    const { id: taskId } = await testCluster.createTask(person);
    const tokens = [await testCluster.createPersonalToken(person), await testCluster.createPersonalToken(person)];
    for (const own of tokens) await useTool(await open(own.token), 'list_task_events', { taskId });
    const agent = await open(tokens[0]?.token);
    expect(await failTool(agent, 'list_task_events', { taskId })).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'RATE_LIMITED',
      retryAfterMs: expect.any(Number),
    });
    await useTool(agent, 'get_task', { taskId });
  });

  it('is counted by method, tool and outcome, and shows no token in the log', async () => {
    const agent = await open(token);
    await useTool(agent, 'get_me');
    await failTool(agent, 'get_task', { taskId: 'x' });
    const metrics = await testCluster.cluster.metrics('gateway');
    expect(metrics).toMatch(/taskflow_mcp_requests_total\{method="tools\/call",tool="get_me",outcome="OK"/);
    expect(metrics).toMatch(/taskflow_mcp_requests_total\{[^}]*tool="get_task",outcome="INVALID_ARGUMENT"/);
    expect(metrics).toMatch(/taskflow_mcp_requests_total\{[^}]*tool="unknown",outcome="NOT_FOUND"/);
    expect(metrics).not.toContain('drop_database');
    expect(testCluster.cluster.logs('gateway')).not.toContain(token.slice(4, 24));
  });

  it('fifty agents work at once, each as itself', async () => {
    const people = await Promise.all(Array.from({ length: 5 }, () => testCluster.register()));
    const tokens = await Promise.all(people.map((person) => testCluster.createPersonalToken(person)));
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const person = people[index % 5];
        const agent = await open(tokens[index % 5]?.token, { era: index % 2 === 0 ? 'auto' : 'legacy' });
        const title = `of agent ${index}`;
        const { task } = (await useTool(agent, 'create_task', { title })) as { task: { id: string; ownerId: string } };
        expect(task.ownerId).toBe(person?.id);
        expect(await useTool(agent, 'get_task', { taskId: task.id })).toMatchObject({ task: { title } });
      }),
    );
    for (const [index, person] of people.entries()) {
      const agent = await open(tokens[index]?.token);
      const { tasks } = (await useTool(agent, 'list_tasks')) as { tasks: { ownerId: string }[] };
      expect(tasks.map(({ ownerId }) => ownerId)).toEqual(Array.from({ length: 10 }, () => person?.id));
    }
  });

  it('an agent is configured as the README says', async () => {
    const readme = readFileSync(new URL('../../mcp/README.md', import.meta.url), 'utf8');
    const [, snippet = ''] = /```json http\n([^`]*)```/.exec(readme) ?? [];
    const { mcpServers } = JSON.parse(snippet) as {
      mcpServers: { taskflow: { type: string; url: string; headers: Record<string, string> } };
    };
    const { taskflow } = mcpServers;
    expect([taskflow.type, new URL(taskflow.url).pathname]).toEqual(['http', '/mcp']);
    const headers = { Authorization: taskflow.headers['Authorization']?.replace('tfp_…', token) ?? '' };
    const agent = new Client({ name: 'configured', version: '1' });
    agents.push(agent);
    await agent.connect(new StreamableHTTPClientTransport(new URL(url()), { requestInit: { headers } }));
    expect(await useTool(agent, 'get_me')).toMatchObject({ user: { id: ada.id } });
  });

  it('an agent that starts a program is configured as the README says', async () => {
    const readme = readFileSync(new URL('../../mcp/README.md', import.meta.url), 'utf8');
    const [, snippet = ''] = /```json stdio\n([^`]*)```/.exec(readme) ?? [];
    const { mcpServers } = JSON.parse(snippet) as {
      mcpServers: { taskflow: { command: string; args: string[]; env: Record<string, string> } };
    };
    const { command, args, env } = mcpServers.taskflow;
    const program = {
      command,
      args: args.map((arg) => arg.replace('/path/to/this/tree', checkoutRoot)),
      env: {
        ...stdioProgram(testCluster.cluster, token).env,
        TASKFLOW_TOKEN: env['TASKFLOW_TOKEN'] === 'tfp_…' ? token : '',
      },
    };
    const agent = new Client({ name: 'configured', version: '1' });
    agents.push(agent);
    await agent.connect(new StdioClientTransport(program));
    expect(await useTool(agent, 'get_me')).toMatchObject({ user: { id: ada.id } });
  });
});

describe('J9: the end of the gateway', () => {
  it('lets a tool end that has begun', async () => {
    await testCluster.cluster.kill('users', 'SIGSTOP');
    // Not by fetch, which would keep its connection for another request.
    const body = rpc('tools/call', { name: 'get_me', arguments: {} });
    const call = request(url(), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${token}`,
      },
    });
    const response = once(call, 'response') as Promise<[IncomingMessage]>;
    call.end(body);
    await waitUntil(
      () => testCluster.cluster.metrics('gateway'),
      (metrics) => /grpc_server_running\{method="[^"]*GetMe",service="gateway"\} 1/.test(metrics),
    );
    const stopped = testCluster.cluster.kill('gateway', 'SIGTERM');
    await testCluster.cluster.kill('users', 'SIGCONT');
    expect(await readText((await response)[0])).toContain(ada.id);
    await stopped;
    expect(testCluster.cluster.logs('gateway')).not.toContain('did not stop cleanly');
    await testCluster.cluster.start('gateway');
    await useTool(await open(token), 'get_me');
  });
});
