import type { Task } from '#contract/tasks/v1/tasks';
import { waitUntil } from '#dev/cluster';
import type { SchedulerCluster } from './start-cluster.ts';

/** The overdue notification of a task, as it is stored. */
export interface Received {
  task_id: string;
  state: string;
  due_version: number;
}

/** By task and due version. */
export const receivedBy = (service: SchedulerCluster, tasks: readonly Task[]): Promise<Received[]> =>
  service.sql<Received>(
    'select task_id, state, due_version::int from notifications where kind = 1 and task_id = any ($1::uuid[]) order by task_id, due_version',
    [tasks.map(({ id }) => id)],
  );

/** The same once every one was delivered or dropped. */
export const completed = (
  service: SchedulerCluster,
  tasks: readonly Task[],
  giveUpAfterMs?: number,
): Promise<Received[]> =>
  waitUntil(
    () => receivedBy(service, tasks),
    (rows) => rows.length >= tasks.length && rows.every(({ state }) => state !== 'pending'),
    giveUpAfterMs,
  );

export const onceEach = (tasks: readonly Task[], state = 'delivered'): Received[] =>
  tasks.map(({ id }) => ({ task_id: id, state, due_version: 1 })).sort((a, b) => (a.task_id < b.task_id ? -1 : 1));
