import { describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { waitUntil } from '#dev/cluster';
import { detailOf, outcomeOf, tasks, useGateway, users, violationsOf, type ErrorJson } from './start-gateway.ts';

const gateway = useGateway({
  env: { TASKFLOW_GATEWAY_CORS_ORIGINS: 'https://app.example.com' },
  replicas: { gateway: 2 },
  replicaEnv: { 'gateway-2': { TASKFLOW_TRUSTED_PROXIES: '127.0.0.1/32' } },
});
const signedIn = (): Record<string, string> => ({ authorization: `Bearer ${gateway.token}` });
const post = (path: string, body: unknown, headers = {}) => gateway.post(path, body, { ...signedIn(), ...headers });

const create = async (task: object): Promise<Record<string, unknown>> => {
  const { json } = await post(`${tasks}/CreateTask`, { task });
  return json['task'] as Record<string, unknown>;
};

describe('JSON', () => {
  it('is what protobuf says: names in camel case, times in RFC 3339, 64 bits as strings, no defaults', async () => {
    const task = await create({ title: 'Water the plants', dueTime: '2030-01-31T18:00:00.5+01:00' });
    expect(task).toMatchObject({ title: 'Water the plants', dueTime: '2030-01-31T17:00:00.500Z' });
    expect(task).not.toHaveProperty('overdue');
    const { json } = await post(`${tasks}/GetTaskStats`, {});
    expect(json).toMatchObject({ stats: { totalCount: expect.stringMatching(/^\d+$/) } });
  });

  it('may have the names of the .proto files', async () => {
    expect(await create({ title: 'a', due_time: '2030-01-31T18:00:00Z' })).toHaveProperty('dueTime');
  });

  it('says of a refused request code, reason, every field and the call, in words and in protobuf', async () => {
    const answer = await post(
      `${tasks}/CreateTask`,
      { task: { title: '', assigneeId: 'nobody' } },
      { 'x-request-id': 'r1' },
    );
    const { details, code } = answer.json as unknown as ErrorJson;
    expect({ code, status: answer.status, id: answer.headers.get('x-request-id') }).toEqual({
      code: 'invalid_argument',
      status: 400,
      id: 'r1',
    });
    expect(violationsOf(answer)).toEqual(['task.title', 'task.assignee_id']);
    expect(detailOf(details, 'RequestInfo')).toEqual({ requestId: 'r1' });
    expect(detailOf(details, 'ErrorInfo')).toMatchObject({ reason: 'INVALID_FIELD', domain: 'taskflow.dev' });
  });

  it('is sent compressed to those who want it, and read compressed', async () => {
    for (let count = 0; count < 12; count += 1) await create({ title: 'x'.repeat(200) });
    const response = await fetch(`${gateway.url}${tasks}/ListTasks`, {
      method: 'POST',
      headers: {
        ...signedIn(),
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'accept-encoding': 'gzip',
      },
      body: gzipSync('{"pageSize": 20}'),
    });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.json()).toHaveProperty('tasks');
  });

  it('is answered to GET for what has no side effects', async () => {
    const ask = (query: string) => fetch(`${gateway.url}${users}/GetMe?${query}`, { headers: signedIn() });
    const response = await ask('connect=v1&encoding=json&message=%7B%7D');
    expect(await response.json()).toHaveProperty('user');
    const packed = gzipSync('{}').toString('base64url');
    expect((await ask(`encoding=json&compression=gzip&base64=1&message=${packed}`)).status).toBe(200);
  });

  it('names when to come back in the header of HTTP too', async () => {
    const answer = await gateway.post('/scheduler/taskflow.server.v1.ServerInfoService/GetServerInfo', {});
    expect(outcomeOf(answer)).toBe('unavailable/DEPENDENCY_UNAVAILABLE');
    expect(answer.headers.get('retry-after')).toBe('1');
  });

  it('asks each server for itself where every server has a method', async () => {
    for (const server of ['auth', 'users', 'tasks'])
      expect(await gateway.post(`/${server}/taskflow.server.v1.ServerInfoService/GetServerInfo`, {})).toMatchObject({
        json: { service: server },
      });
  });
});

describe('the client behind the gateway', () => {
  /** The address of the client in what a process logs of its call. */
  const peerIn = async (service: 'gateway' | 'users', requestId: string, replica = 0): Promise<string | undefined> => {
    const line = await waitUntil(
      async () =>
        gateway.cluster
          .logs(service, replica)
          .split('\n')
          .find((text) => text.includes(`"${requestId}"`)),
      (found) => found !== undefined,
    );
    return /"peer":"([^"]*)"/.exec(line ?? '')?.[1];
  };
  const callAs = (replica: number, requestId: string) =>
    fetch(`http://${gateway.cluster.address('gateway', replica)}${users}/GetMe`, {
      method: 'POST',
      headers: {
        ...signedIn(),
        'content-type': 'application/json',
        'x-request-id': requestId,
        'x-forwarded-for': '198.51.100.1, 203.0.113.7',
      },
      body: '{}',
    });

  it('is known to the services by its name', async () => {
    const { json } = await post('/taskflow.auth.v1.AuthService/ListSessions', {});
    expect(json).toMatchObject({ sessions: [{ userAgent: 'node' }] });
  });

  it('cannot choose its address', async () => {
    await callAs(0, 'untrusted');
    expect([await peerIn('gateway', 'untrusted'), await peerIn('users', 'untrusted')]).toEqual([
      '127.0.0.1',
      '127.0.0.1',
    ]);
  });

  it('has the address that a trusted proxy gives', async () => {
    await callAs(1, 'trusted');
    expect([await peerIn('gateway', 'trusted', 1), await peerIn('users', 'trusted')]).toEqual([
      '203.0.113.7',
      '203.0.113.7',
    ]);
  });
});

describe('pages of other origins', () => {
  const preflight = (origin: string) =>
    fetch(`${gateway.url}${users}/GetMe`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });

  it('may call when their origin is listed', async () => {
    const { status, headers } = await preflight('https://app.example.com');
    expect({ status, origin: headers.get('access-control-allow-origin') }).toEqual({
      status: 204,
      origin: 'https://app.example.com',
    });
    expect(headers.get('access-control-allow-headers')).toContain('authorization');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    const answer = await post(`${users}/GetMe`, {}, { origin: 'https://app.example.com' });
    expect(answer.headers.get('access-control-expose-headers')).toContain('x-request-id');
  });

  it('may not when it is not', async () => {
    const { status, headers } = await preflight('https://evil.example.com');
    expect([status, headers.get('access-control-allow-origin')]).toEqual([405, null]);
  });
});
