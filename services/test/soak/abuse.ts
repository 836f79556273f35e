import { setTimeout as pause } from 'node:timers/promises';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import type { WorkerProcess } from '#libs/bench';
import { attackNames, type Attack, type AttackName } from './attacks.ts';
import { watchDuring, type Impression } from './bystander.ts';
import type { Ground } from './ground.ts';

/** What somebody else noticed of an attack; the first of all is without one. */
export interface Abuse {
  readonly name: AttackName | 'undisturbed';
  readonly bystander: Impression;
  readonly residentBytes: number;
  /** After a garbage collection. */
  readonly heapBytes: number;
}

/** Invariant 10: whoever abuses a server, others are served, and its memory stays within bounds. */
export async function abuse(ground: Ground, crowd: WorkerProcess, durationMs: number): Promise<Abuse[]> {
  const seen: Abuse[] = [];
  const watch = async (name: Abuse['name'], work: Promise<unknown>): Promise<void> => {
    const bystander = await watchDuring(ground, work);
    const residentBytes = await ground.residentBytes();
    seen.push({ name, bystander, residentBytes, heapBytes: await ground.heap.usedBytes() });
  };
  await watchDuring(ground, pause(durationMs));
  await watch('undisturbed', pause(durationMs));
  for (const name of attackNames) {
    const attack: Attack = { name, address: ground.address, path: TasksServiceService.listTasks.path, token: await ground.token(), durationMs };
    await watch(name, crowd.ask('assault', attack));
  }
  return seen;
}
