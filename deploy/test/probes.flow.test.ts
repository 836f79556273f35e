import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client as PostgresClient } from 'pg';
import {
  HealthCheckRequest,
  HealthCheckResponse_ServingStatus as Status,
  HealthService,
  type HealthCheckResponse,
} from '../../libs/contract/src/gen/grpc/health/v1/health.ts';
import {
  startCluster,
  startTcpProxy,
  serviceNames,
  testPostgresUrl,
  testRedisUrl,
  waitUntil,
  type Cluster,
  type ServiceName,
  type TcpProxy,
} from '#dev/cluster';
import { listeningConnections } from '../kubernetes/sizes.ts';
import { podOf, type Container, type Probe, type Workload } from './kubernetes-kinds.ts';
import { findOne, renderOverlays } from './render.ts';

const manifests = renderOverlays().production;
const probesOf = (
  service: ServiceName,
): Required<Pick<Container, 'startupProbe' | 'livenessProbe' | 'readinessProbe'>> =>
  podOf(findOne<Workload>(manifests, 'Deployment', `taskflow-${service}`) as Workload).containers[0] as never;

let postgres: TcpProxy;
let redis: TcpProxy;
let cluster: Cluster;
beforeAll(async () => {
  [postgres, redis] = await Promise.all([startTcpProxy(testPostgresUrl()), startTcpProxy(testRedisUrl())]);
  cluster = await startCluster({
    postgresAdminUrl: postgres.url,
    redisUrl: redis.url,
    copyDatabases: true,
    ports: 'free',
  });
});
afterAll(async () => {
  await Promise.all([postgres?.restore(), redis?.restore()]);
  await cluster?.stop();
  await Promise.all([postgres?.close(), redis?.close()]);
});

/** What the kubelet does for a gRPC probe. */
async function passes(service: ServiceName, probe: Probe): Promise<boolean> {
  const { path, requestSerialize, responseDeserialize } = HealthService.check;
  const client = new Client(cluster.address(service), credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  const request = HealthCheckRequest.fromPartial({ service: probe.grpc?.service ?? '' });
  const answer = await new Promise<HealthCheckResponse | undefined>((resolve) =>
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      { deadline: Date.now() + 10_000 },
      (_error, found) => resolve(found),
    ),
  );
  client.close();
  return answer?.status === Status.SERVING;
}

/** The image's health check, and compose's. */
async function exitOfHealthCheck(service: ServiceName, ...args: string[]): Promise<number> {
  const port = new URL(cluster.httpAddress(service)).port;
  const env = { PATH: process.env['PATH'], SERVICE: service, [`TASKFLOW_${service.toUpperCase()}_HTTP_PORT`]: port };
  const [code] = (await once(
    spawn(process.execPath, [join(import.meta.dirname, '../healthcheck.ts'), ...args], { env }),
    'exit',
  )) as [number];
  return code;
}

const everywhere = <T>(ask: (service: ServiceName) => Promise<T>): Promise<T[]> => Promise.all(serviceNames.map(ask));
const all = <T>(value: T): T[] => serviceNames.map(() => value);
const pids = (): (number | undefined)[] => serviceNames.map((service) => cluster.pid(service));

/** Whether each of a pod's probes passes, for every service. */
const look = () =>
  everywhere(async (service) => {
    const { startupProbe, livenessProbe, readinessProbe } = probesOf(service);
    return {
      started: await passes(service, startupProbe),
      alive: await passes(service, livenessProbe),
      ready: await passes(service, readinessProbe),
    };
  });

describe('a restart while PostgreSQL and Redis are away', () => {
  it('leaves every service started and alive but not ready, until they are back, and nothing is restarted', async () => {
    await Promise.all([postgres.cut(), redis.cut()]);
    await everywhere((service) => cluster.kill(service, 'SIGKILL'));
    const starts = everywhere((service) => cluster.start(service));
    starts.catch(() => undefined);
    const waiting = all({ started: true, alive: true, ready: false });
    await waitUntil(look, (seen) => JSON.stringify(seen) === JSON.stringify(waiting), 50_000);
    const first = pids();
    expect(await everywhere((service) => exitOfHealthCheck(service))).toEqual(all(0));
    expect(await everywhere((service) => exitOfHealthCheck(service, 'ready'))).toEqual(all(1));

    // A network that swallows everything is another fault than a refused connection.
    await postgres.restore();
    postgres.freeze();
    await waitUntil(() => postgres.unheard() > 0);
    expect(await look()).toEqual(waiting);

    await Promise.all([postgres.restore(), redis.restore()]);
    await starts;
    expect(await look()).toEqual(all({ started: true, alive: true, ready: true }));
    expect(await everywhere((service) => exitOfHealthCheck(service, 'ready'))).toEqual(all(0));
    expect(pids()).toEqual(first);
  });

  it('is ready without Redis, for every call can be answered', async () => {
    await redis.cut();
    await cluster.restart('scheduler');
    expect(await passes('scheduler', probesOf('scheduler').readinessProbe)).toBe(true);
    await redis.restore();
  });

  it('is started and alive without auth', async () => {
    await cluster.kill('auth', 'SIGKILL');
    await cluster.kill('users', 'SIGKILL');
    const start = cluster.start('users');
    start.catch(() => undefined);
    const { startupProbe, livenessProbe } = probesOf('users');
    await waitUntil(
      async () => [await passes('users', startupProbe), await passes('users', livenessProbe)],
      (seen) => seen.every(Boolean),
    );
    await cluster.start('auth');
    await start;
  });
});

describe('the connections of a process', () => {
  it('are its pool and those that sizes.ts counts besides', async () => {
    const client = new PostgresClient({ connectionString: testPostgresUrl() });
    await client.connect();
    for (const service of serviceNames) {
      const database = new URL(cluster.databaseUrl(service)).pathname.slice(1);
      const listening = async (): Promise<number | undefined> =>
        (
          await client.query<{ found: number }>(
            "select count(*)::int as found from pg_stat_activity where datname = $1 and application_name like 'listen %'",
            [database],
          )
        ).rows[0]?.found;
      // A listener that was cut off comes back by itself.
      expect(await waitUntil(listening, (found) => found === listeningConnections[service])).toBe(
        listeningConnections[service],
      );
    }
    await client.end();
  });
});
