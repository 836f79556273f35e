import { describe, expect, it } from '@jest/globals';
import { openCaller, type Caller } from './callee.ts';
import { startTestServer, type TestServer } from './cluster.ts';
import { waitUntil } from '#dev/cluster';
import { startNames } from './name-server.ts';
import { internalUsersBinding } from './services.ts';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';

const afterTest = stopAfterEach();

interface Replica extends TestServer {
  calls: number;
}

/** Replicas have the same port and different addresses, like pods behind a headless name. */
async function startReplica(host: string, port: number): Promise<Replica> {
  const counted = { calls: 0 };
  const binding = internalUsersBinding({
    batchGetUsers: async () => ((counted.calls += 1), { users: [], unknownUserIds: [] }),
  });
  const started = await startTestServer({ bindings: [binding], host, port, connectionAgeMs: 300 });
  afterTest(() => started.server.stop());
  return Object.assign(counted, started);
}

const untilAnswered = (caller: Caller): Promise<boolean> => waitUntil(() => caller.ask().then(Boolean, () => false));

describe('invariant 8: a client of a headless name', () => {
  it('gives a new replica its share when connections have aged, and finds servers that were all away', async () => {
    const names = await startNames();
    afterTest(names.stop);
    const first = await startReplica('127.0.0.1', 0);
    const { port } = first.server;
    names.addresses = ['127.0.0.1'];
    const caller = openCaller(`dns://127.0.0.1:${names.port}/users.test:${port}`, { volumeThreshold: 1_000_000 });
    afterTest(() => caller.close());
    await untilAnswered(caller);

    const replicas = [first];
    const grow = async (...hosts: string[]): Promise<void> => {
      for (const host of hosts) replicas.push(await startReplica(host, port));
      names.addresses = replicas.map((_, index) => `127.0.0.${index + 1}`);
      while (replicas.some(({ calls }) => calls === 0)) await untilAnswered(caller);
      const before = replicas.map(({ calls }) => calls);
      for (let count = 0; count < 200; count += 1) await untilAnswered(caller);
      for (const [index, { calls }] of replicas.entries())
        expect(calls - (before[index] ?? 0)).toBeGreaterThan(200 * 0.15);
    };
    await grow('127.0.0.2');
    await grow('127.0.0.3', '127.0.0.4');

    await Promise.all(replicas.map(({ server }) => server.stop()));
    await caller.fail();
    const again = await startReplica('127.0.0.1', port);
    names.addresses = ['127.0.0.1'];
    await untilAnswered(caller);
    expect(again.calls).toBeGreaterThan(0);
  });
});
