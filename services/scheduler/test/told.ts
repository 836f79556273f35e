import type { Task } from '#contract/tasks/v1/tasks';
import { until } from '#libs/devcluster';
import type { SchedulerCluster } from './start-cluster.ts';

/** What the scheduler's database says of the notification of a task's becoming overdue. */
export interface Told {
  task_id: string;
  state: string;
  due_version: number;
}

/** By task and due version. */
export const toldOf = (service: SchedulerCluster, tasks: readonly Task[]): Promise<Told[]> =>
  service.sql<Told>('select task_id, state, due_version::int from notifications where kind = 1 and task_id = any ($1::uuid[]) order by task_id, due_version', [tasks.map(({ id }) => id)]);

/** The same once every one has been told or dropped. */
export const settled = (service: SchedulerCluster, tasks: readonly Task[], patienceMs?: number): Promise<Told[]> =>
  until(() => toldOf(service, tasks), (rows) => rows.length >= tasks.length && rows.every(({ state }) => state !== 'pending'), patienceMs);

export const onceEach = (tasks: readonly Task[], state = 'delivered'): Told[] =>
  tasks.map(({ id }) => ({ task_id: id, state, due_version: 1 })).sort((a, b) => (a.task_id < b.task_id ? -1 : 1));
