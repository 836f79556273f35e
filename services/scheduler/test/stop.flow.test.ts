import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { startSchedulerCluster } from './start-cluster.ts';

const replicas = [0, 1];
/** How the processes ended that the test stopped. */
const ends = new Map<string, string>();

const service = await startSchedulerCluster({
  replicas: { scheduler: replicas.length },
  env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000', TASKFLOW_SHUTDOWN_GRACE_MS: '2000' },
  onLoss: (label, how) => void ends.set(label, how),
});
afterAll(service.stop);
beforeEach(() => ends.clear());

const linesOf = (replica: number) => service.cluster.logs('scheduler', replica).split('\n');
/** Sends SIGTERM, as the platform does. */
function terminate(replica: number): void {
  const pid = service.cluster.pid('scheduler', replica);
  if (pid === undefined) throw new Error(`replica ${replica} has ended already`);
  process.kill(pid, 'SIGTERM');
}

const waitingForLock = () =>
  service.sql("select 1 from pg_locks where relation = 'deliveries'::regclass and not granted");

describe('E16: a process that gets SIGTERM', () => {
  it.each<[string, () => Promise<void>]>([
    ['refuses connections', () => service.redis.cut()],
    ['is silent', async () => service.redis.freeze()],
    ['answers', async () => undefined],
  ])('ends with code 0, every part of it in time, while Redis %s, in the middle of a job', async (_name, takeAway) => {
    const ada = await service.newUser('Ada');
    const before = replicas.map((replica) => linesOf(replica).length);
    // Deliveries begin, and wait for this lock.
    const lock = await service.lockTable('deliveries');
    const tasks = await service.createOverdue(ada, 2);
    await service.sweep();
    await waitUntil(waitingForLock, (rows) => rows.length > 0);
    await takeAway();
    replicas.forEach(terminate);
    await waitUntil(async () => ends.size === replicas.length);
    expect([...ends].sort()).toEqual([
      ['scheduler', 'exit code 0'],
      ['scheduler-2', 'exit code 0'],
    ]);
    for (const [replica, from] of before.entries()) {
      const lines = linesOf(replica).slice(from - 1);
      expect(lines.filter((line) => line.includes('part did not stop cleanly'))).toEqual([]);
      expect(lines.some((line) => line.includes('"msg":"stopped"'))).toBe(true);
    }
    // The running jobs were given back or are missed; the next processes do them once.
    await lock.release();
    await service.redis.restore();
    await Promise.all(replicas.map((replica) => service.cluster.start('scheduler', replica)));
    await waitUntil(
      () => service.inbox(ada),
      (all) => all.length >= tasks.length,
    );
    expect((await service.inbox(ada)).map(({ taskId }) => taskId).sort()).toEqual(tasks.map(({ id }) => id).sort());
  });
});
