import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { createAuthority, queryDatabase, testPostgresUrl, testRedisUrl } from '#dev/cluster';
import { startSchedulerCluster } from '../../../services/scheduler/test/start-cluster.ts';
import { startTlsProxy } from './tls-proxy.ts';

const dir = mkdtempSync(join(tmpdir(), 'taskflow-servers-'));
const authority = await createAuthority();
const file = join(dir, 'ca.crt');
writeFileSync(file, authority.certificate);
const issued = await authority.issue({ dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
const [postgres, redis] = await Promise.all([
  startTlsProxy(testPostgresUrl(), issued),
  startTlsProxy(testRedisUrl(), issued),
]);
/** As deploy/tls.md says. */
const postgresUrl = (ca: string): string => {
  const url = new URL(testPostgresUrl());
  url.host = `127.0.0.1:${postgres.port}`;
  url.search = `?sslmode=verify-full&sslrootcert=${ca}`;
  return url.href;
};
const redisUrl = (): string => {
  const url = new URL(testRedisUrl().replace(/^redis:/, 'rediss:'));
  url.host = `127.0.0.1:${redis.port}`;
  return url.href;
};

const service = await startSchedulerCluster({
  postgresAdminUrl: postgresUrl(file),
  env: {
    TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
    TASKFLOW_REDIS_URL: redisUrl(),
    NODE_EXTRA_CA_CERTS: file,
  },
});

afterAll(async () => {
  await service.stop();
  await Promise.all([postgres.close(), redis.close()]);
  rmSync(dir, { recursive: true });
});

it('works on a PostgreSQL and a Redis that are reached by TLS only', async () => {
  const ada = await service.newUser('Ada');
  const [task] = await service.createOverdue(ada, 1);
  expect((await service.completedInbox(ada)).map(({ taskId }) => taskId)).toEqual([task?.id]);
  expect(postgres.secured()).toBeGreaterThan(4);
  expect(redis.secured()).toBeGreaterThan(4);
});

it('believes no PostgreSQL of another authority', async () => {
  const other = join(dir, 'other.crt');
  writeFileSync(other, (await createAuthority('Another')).certificate);
  await expect(queryDatabase(postgresUrl(other), 'select 1')).rejects.toThrow(/self-signed|unable to/);
});
