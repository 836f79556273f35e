import type { Recorder } from './recorder.ts';
import type { CrashTestCluster } from './crash-test-cluster.ts';

/** Some new tasks, some old ones with another due time or status, and calls that leave nothing or may. Resolves when all are answered. */
export async function playWork(
  { clients, random }: Pick<CrashTestCluster, 'clients' | 'random'>,
  recorder: Recorder,
  round: number,
): Promise<void> {
  const creations = Array.from({ length: random.between(3, 10) }, async (_, index) => {
    recorder.acknowledge(round, await clients.createTask({ twin: index === 0 }));
  });
  const reschedulings = Array.from({ length: random.between(0, 3) }, async () => {
    const task = recorder.takeDelivered((tasks) => random.pick(tasks));
    if (task === undefined) return;
    if (random.chance(0.5)) await clients.advance(task);
    await clients.peep(task);
    await clients.reschedule(task);
    recorder.acknowledge(round, task);
  });
  const others = [clients.hurry(), clients.hurry(), clients.breakRules(), clients.registerAnother()];
  await Promise.all([...creations, ...reschedulings, ...others]);
}
