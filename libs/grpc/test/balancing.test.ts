// First, since it decides how grpc-js looks up names.
import { startNames } from './name-server.ts';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openCaller, type Caller } from './callee.ts';
import { startTestServer, type TestServer } from './cluster.ts';
import { internalUsersBinding } from './services.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Replica extends TestServer {
  calls: number;
}

/** Replicas have one port and an address each, as pods behind a headless name have. */
async function startReplica(host: string, port: number): Promise<Replica> {
  const counted = { calls: 0 };
  const binding = internalUsersBinding({ batchGetUsers: async () => ((counted.calls += 1), { users: [], unknownUserIds: [] }) });
  const started = await startTestServer({ bindings: [binding], host, port, connectionAgeMs: 300 });
  closing.push(() => started.server.stop());
  return Object.assign(counted, started);
}

async function untilAnswered(caller: Caller): Promise<void> {
  while (!(await caller.ask().then(() => true, () => false))) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('invariant 8: a client of a headless name', () => {
  it('gives a new replica its share once its connections have reached their age, and finds servers again that were all away', async () => {
    const names = await startNames();
    closing.push(names.stop);
    const first = await startReplica('127.0.0.1', 0);
    const { port } = first.server;
    names.addresses = ['127.0.0.1'];
    const caller = openCaller(`dns://127.0.0.1:${names.port}/users.test:${port}`, { volumeThreshold: 1_000_000 });
    closing.push(() => caller.close());
    await untilAnswered(caller);

    const replicas = [first];
    const grow = async (...hosts: string[]): Promise<void> => {
      for (const host of hosts) replicas.push(await startReplica(host, port));
      names.addresses = replicas.map((_, index) => `127.0.0.${index + 1}`);
      while (replicas.some(({ calls }) => calls === 0)) await untilAnswered(caller);
      const before = replicas.map(({ calls }) => calls);
      for (let count = 0; count < 200; count += 1) await untilAnswered(caller);
      for (const [index, { calls }] of replicas.entries()) expect(calls - (before[index] ?? 0)).toBeGreaterThan(200 * 0.15);
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
