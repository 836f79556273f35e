import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startCluster, type Cluster } from './cluster.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { isServing } from './health-check.ts';
import { isRunning, refOf } from './processes.ts';
import { serviceNames } from './service-names.ts';
import { testPostgresUrl, testRedisUrl } from './test-urls.ts';

const root = fileURLToPath(new URL('../test/checkout', import.meta.url));
const options = (): ClusterOptions => ({ root, postgresAdminUrl: testPostgresUrl(), redisUrl: testRedisUrl() });

describe('a cluster', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster(options());
  });

  afterAll(async () => cluster.stop());

  it('has every service SERVING when its start resolves', async () => {
    const serving = await Promise.all(serviceNames.map(async (service) => isServing(cluster.address(service))));

    expect(serving).toEqual([true, true, true, true]);
  });

  it('starts a killed service again on the same address', async () => {
    const before = { address: cluster.address('tasks'), pid: cluster.pid('tasks') };

    await cluster.kill('tasks', 'SIGKILL');
    expect({ pid: cluster.pid('tasks'), serving: await isServing(before.address, { deadlineMs: 500 }) }).toEqual({
      pid: undefined,
      serving: false,
    });
    await cluster.start('tasks');

    expect(cluster.address('tasks')).toBe(before.address);
    expect(cluster.pid('tasks')).not.toBe(before.pid);
    expect(await isServing(before.address)).toBe(true);
  });

  it('lets a service drain before it starts it again', async () => {
    await cluster.restart('users');

    expect(cluster.logs('users')).toMatch(/serving[^]*draining","why":"SIGTERM[^]*serving/);
  });

  it('keeps clusters on the same servers apart', async () => {
    const other = await startCluster(options());

    expect(other.databaseUrl('tasks')).not.toBe(cluster.databaseUrl('tasks'));
    expect(other.redisUrl).not.toBe(cluster.redisUrl);
    await other.stop();
  });
});

describe('the end of a cluster', () => {
  it('leaves no process and no folder', async () => {
    const cluster = await startCluster({ ...options(), replicas: { tasks: 2 } });
    const processes = [...serviceNames.map((service) => cluster.pid(service)), cluster.pid('tasks', 1)].map((pid) =>
      refOf(pid ?? 0),
    );

    await cluster.stop();

    expect(processes.map(isRunning)).toEqual([false, false, false, false, false]);
    expect(existsSync(cluster.dir)).toBe(false);
  });

  it('comes with the last lines of the log when a service does not start', async () => {
    const start = startCluster({ ...options(), env: { STAND_IN_FAILS: 'tasks' } });

    await expect(start).rejects.toThrow(
      /the tasks service ended while it started \(exit code 1\).*TASKFLOW_SECRET is not set/s,
    );
  });

  it('is preceded by the log and its last line while a service does not become ready', async () => {
    const stop = new AbortController();
    const lines: string[] = [];
    const report = (line: string): void => {
      lines.push(line);
      if (line.includes('not ready')) stop.abort('seen');
    };
    const start = startCluster({ ...options(), env: { STAND_IN_WAITS: 'tasks' }, report, signal: stop.signal });

    await expect(start).rejects.toThrow('broken off: seen');
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^tasks is not ready yet\. Its log, .*tasks\.log, ends with: .*still waiting for its database/,
      ),
    );
  });
});
