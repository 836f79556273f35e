import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '#libs/devcluster';
import { Client } from 'pg';
import { anHourAgo, startSchedulerCluster, type SchedulerCluster } from './start-cluster.ts';

/** The first shows the board, the second does not. */
const replicas = [0, 1];
/** How processes ended that nobody but the test told to. */
const ends = new Map<string, string>();

let service: SchedulerCluster;
beforeAll(async () => {
  service = await startSchedulerCluster({
    replicas: { scheduler: replicas.length },
    env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000', TASKFLOW_SHUTDOWN_GRACE_MS: '2000' },
    replicaEnv: { 'scheduler-2': { TASKFLOW_SCHEDULER_BOARD: 'off' } },
    onLoss: (label, how) => void ends.set(label, how),
  });
});
afterAll(() => service?.stop());
beforeEach(() => ends.clear());

const look = async (replica: number) =>
  (await fetch(`${service.cluster.httpAddress('scheduler', replica)}/board/api/queues`, { headers: { authorization: `Bearer ${service.admin.as.token}` } })).status;
const linesOf = (replica: number) => service.cluster.logs('scheduler', replica).split('\n');
/** As the platform does: nobody but the process decides how it ends. */
function terminate(replica: number): void {
  const pid = service.cluster.pid('scheduler', replica);
  if (pid === undefined) throw new Error(`replica ${replica} has ended already`);
  process.kill(pid, 'SIGTERM');
}

/** Until release, deliveries begin and come no further. */
async function holdDeliveries(): Promise<{ release(): Promise<void> }> {
  const database = new Client({ connectionString: service.cluster.databaseUrl('scheduler') });
  await database.connect();
  await database.query('begin');
  await database.query('lock table deliveries in share row exclusive mode');
  return { release: () => database.end() };
}
const waitingForLock = () => service.sql("select 1 from pg_locks where relation = 'deliveries'::regclass and not granted");

describe('E16: a process that is told to end', () => {
  it.each<[string, () => Promise<void>]>([
    ['refuses connections', () => service.redis.cut()],
    ['is silent', async () => service.redis.freeze()],
    ['answers', async () => undefined],
  ])('ends with code 0, every part of it in time, while Redis %s, with the board and without, in the middle of a job', async (_name, takeAway) => {
    const ada = await service.newUser('Ada');
    expect(await until(() => look(0), (status) => status === 200)).toBe(200);
    expect(await look(1)).toBe(404);
    const before = replicas.map((replica) => linesOf(replica).length);
    const hold = await holdDeliveries();
    const tasks = [await service.createTask(ada, { dueTime: anHourAgo() }), await service.createTask(ada, { dueTime: anHourAgo() })];
    await service.sweep();
    await until(waitingForLock, (rows) => rows.length > 0);
    await takeAway();
    // Somebody looks at the board while it ends.
    const asked = look(0).catch(() => undefined);
    replicas.forEach(terminate);
    await until(async () => ends.size, (count) => count === replicas.length);
    await asked;
    expect([...ends].sort()).toEqual([['scheduler', 'exit code 0'], ['scheduler-2', 'exit code 0']]);
    for (const [replica, from] of before.entries()) {
      const lines = linesOf(replica).slice(from - 1);
      expect(lines.filter((line) => line.includes('part did not stop cleanly'))).toEqual([]);
      expect(lines.some((line) => line.includes('"msg":"stopped"'))).toBe(true);
    }
    // What ran was given back, or is missed: it is done once by those who come after.
    await hold.release();
    await service.redis.restore();
    await Promise.all(replicas.map((replica) => service.cluster.start('scheduler', replica)));
    await until(() => service.inbox(ada), (all) => all.length >= tasks.length);
    expect((await service.inbox(ada)).map(({ taskId }) => taskId).sort()).toEqual(tasks.map(({ id }) => id).sort());
  });
});
