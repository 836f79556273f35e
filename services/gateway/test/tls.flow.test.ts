import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { connect as connectTls, type PeerCertificate } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { renewCertificates, startCluster, testPostgresUrl, testRedisUrl, waitUntil, type Cluster } from '#dev/cluster';

let cluster: Cluster;
let ca: string;
beforeAll(async () => {
  cluster = await startCluster({
    postgresAdminUrl: testPostgresUrl(),
    redisUrl: testRedisUrl(),
    copyDatabases: true,
    ports: 'free',
    tls: 'mutual',
    services: ['auth', 'users', 'gateway'],
    replicas: { gateway: 3 },
    replicaEnv: {
      'gateway-2': { TASKFLOW_TLS: 'preferred' },
      'gateway-3': { TASKFLOW_TLS_CERT_FILE: '', TASKFLOW_TLS_KEY_FILE: '' },
    },
  });
  ca = readFileSync(cluster.clientEnv['TASKFLOW_TLS_CA_FILE'] ?? '', 'utf8');
}, 120_000);
afterAll(() => cluster?.stop());

// A public method whose answer comes from auth, which the gateway calls by TLS.
const path = '/taskflow.auth.v1.AuthService/GetJwks';
const headers = { 'content-type': 'application/json' };
const portOf = (replica = 0): number => Number(cluster.address('gateway', replica).split(':')[1]);

/** A call over HTTP/1.1; without keep-alive each has its own connection. */
function callHttp1(agent: Agent, replica = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: portOf(replica), path, method: 'POST', headers, agent, ca };
    const call = httpsRequest(options, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    call.once('error', reject).end('{}');
  });
}

async function callHttp2(replica = 0): Promise<unknown> {
  const session = connectHttp2(`https://127.0.0.1:${portOf(replica)}`, { ca });
  const call = session.request({ ':method': 'POST', ':path': path, ...headers });
  call.end('{}');
  const [answer] = (await once(call, 'response')) as [Record<string, unknown>];
  call.resume();
  await once(call, 'close');
  session.close();
  return answer[':status'];
}

const callPlain = async (replica: number): Promise<number> =>
  (await fetch(`http://127.0.0.1:${portOf(replica)}${path}`, { method: 'POST', headers, body: '{}' })).status;

/** What the gateway shows to a client that asks for these protocols. */
async function shake(ALPNProtocols?: string[]): Promise<{ protocol: unknown; certificate: PeerCertificate }> {
  const socket = connectTls({ port: portOf(), host: '127.0.0.1', ca, ...(ALPNProtocols && { ALPNProtocols }) });
  await once(socket, 'secureConnect');
  const shown = { protocol: socket.alpnProtocol, certificate: socket.getPeerCertificate() };
  socket.destroy();
  return shown;
}

describe('a gateway with a certificate', () => {
  it('serves HTTP/2 and HTTP/1.1 on one port, as the client asks', async () => {
    expect(await callHttp1(new Agent())).toBe(200);
    expect(await callHttp2()).toBe(200);
    const asked = [['h2', 'http/1.1'], ['http/1.1'], undefined];
    const got = await Promise.all(asked.map(async (protocols) => (await shake(protocols)).protocol));
    expect(got).toEqual(['h2', 'http/1.1', false]);
  });

  it('refuses plaintext, and says so', async () => {
    await expect(callPlain(0)).rejects.toThrow();
    await waitUntil(() => cluster.logs('gateway').includes('connection refused: it was not secured'));
  });

  it('takes both while clients change over', async () => {
    expect([await callHttp1(new Agent(), 1), await callHttp2(1), await callPlain(1)]).toEqual([200, 200, 200]);
  });

  it('keeps metrics and probes in plaintext on their own port', async () => {
    for (const page of ['/livez', '/readyz', '/metrics'])
      expect((await fetch(`${cluster.httpAddress('gateway')}${page}`)).status).toBe(200);
  });
});

it('a gateway without a certificate is in plaintext, where TLS ends before it, and calls the services by TLS', async () => {
  expect(await callPlain(2)).toBe(200);
});

it('a certificate is replaced under load without a failed call', async () => {
  const before = (await shake()).certificate.serialNumber;
  const kept = new Agent({ keepAlive: true });
  let isOver = false;
  const statuses = new Map<unknown, number>();
  const count = (status: unknown): void => void statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const keepCalling = async (call: () => Promise<unknown>): Promise<void> => {
    while (!isOver) count(await call().catch((error: Error) => error.message));
  };
  const load = [() => callHttp1(new Agent()), () => callHttp1(kept), () => callHttp2()].map(keepCalling);
  await renewCertificates(cluster.dir);
  await waitUntil(async () => (await shake()).certificate.serialNumber !== before);
  isOver = true;
  await Promise.all(load);
  kept.destroy();
  expect([...statuses.keys()]).toEqual([200]);
});
