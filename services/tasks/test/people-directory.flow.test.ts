import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { readServiceKey, testRedisUrl, waitUntil } from '#dev/cluster';
import { openCache } from '#libs/cache';
import { createServiceIdentity } from '#libs/identity';
import { createLogger, createMetrics, type Part } from '#libs/runtime';
import { stopAfterEach } from '../../../libs/dev/testing/src/stop-after-each.ts';
import { openPeopleDirectory } from '../src/clients/users.client.ts';
import { useTasksCluster } from './start-cluster.ts';

const afterTest = stopAfterEach();
const service = useTasksCluster();

/** As a process of tasks has it. */
function openDirectory() {
  const { cluster } = service;
  const base = { logger: createLogger({ service: 'test', level: 'fatal' }), metrics: createMetrics('test') };
  const parts = { add: ({ stop }: Part) => afterTest(() => stop?.()) };
  const cache = openCache({ ...base, parts }, { redisUrl: testRedisUrl(), prefix: `test-${randomUUID()}` });
  const identity = createServiceIdentity({ service: 'tasks', privateKey: readServiceKey(cluster.dir, 'tasks') });
  const directory = openPeopleDirectory(cache, { ...base, address: cluster.address('users'), identity });
  afterTest(directory.close);
  /** How many calls to users have ended, however. */
  const calls = async (): Promise<number> => {
    const text = await base.metrics.registry.metrics();
    const series = text.matchAll(/^grpc_client_handled_total\{.*BatchGetUsers.*\} (\d+)$/gm);
    return [...series].reduce((sum, [, value]) => sum + Number(value), 0);
  };
  return { directory, calls };
}

it('names the people of all calls of one turn by one call to users', async () => {
  const names = ['Ada', 'Grace', 'Barbara', 'Frances'];
  const people = await Promise.all(names.map((name) => service.newUser(name)));
  const { directory, calls } = openDirectory();
  let turns = 0;
  const lookUpAll = async (): Promise<string[]> => {
    turns += 1;
    const known = await Promise.all(people.map(({ userId }) => directory.lookUp([userId])));
    return known.map((one, index) => one.nameOf(people[index]?.userId ?? ''));
  };
  // On a busy machine a name may come too late.
  expect(await waitUntil(lookUpAll, (found) => !found.includes(''))).toEqual(names);
  expect(await calls()).toBeGreaterThan(0);
  expect(await calls()).toBeLessThanOrEqual(turns);
});
