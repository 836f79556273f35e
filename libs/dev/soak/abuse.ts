import { setTimeout as pause } from 'node:timers/promises';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import type { WorkerProcess } from '#dev/bench';
import { attackNames, type Attack, type AttackName } from './attacks.ts';
import { watchDuring, type Impression } from './baseline-client.ts';
import type { SoakCluster } from './soak-cluster.ts';

/** What somebody else noticed of an attack; the first of all is without one. */
export interface Abuse {
  readonly name: AttackName | 'undisturbed';
  readonly baseline: Impression;
  readonly residentBytes: number;
  /** After a garbage collection. */
  readonly heapBytes: number;
}

/** Invariant 10: while one peer abuses a server, others are served, and its memory stays within bounds. */
export async function abuse(soakCluster: SoakCluster, generator: WorkerProcess, durationMs: number): Promise<Abuse[]> {
  const seen: Abuse[] = [];
  const watch = async (name: Abuse['name'], work: Promise<unknown>): Promise<void> => {
    const baseline = await watchDuring(soakCluster, work);
    const residentBytes = await soakCluster.residentBytes();
    seen.push({ name, baseline, residentBytes, heapBytes: await soakCluster.heap.usedBytes() });
  };
  await watchDuring(soakCluster, pause(durationMs));
  await watch('undisturbed', pause(durationMs));
  for (const name of attackNames) {
    const attack: Attack = {
      name,
      address: soakCluster.address,
      path: TasksServiceService.listTasks.path,
      token: await soakCluster.token(),
      durationMs,
    };
    await watch(name, generator.ask('assault', attack));
  }
  return seen;
}
