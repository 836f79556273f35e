import { randomBytes } from 'node:crypto';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { CreateTaskRequest, TasksServiceService } from '#contract/tasks/v1/tasks';
import { findFreePort, startCluster, type Cluster, type Infrastructure } from '#dev/cluster';
import { openPublicClient, type PublicClient } from '#libs/grpc';
import { inspectorOption, openHeapProbe, type HeapProbe } from './heap.ts';

/** A tasks service with those it needs, somebody who calls it, and a look at its memory. */
export interface SoakCluster {
  readonly cluster: Cluster;
  /** Of the tasks service. */
  readonly address: string;
  readonly tasks: PublicClient<typeof TasksServiceService>;
  readonly heap: HeapProbe;
  /** Valid for some minutes more; signs in again when the last one is old. */
  token(): Promise<string>;
  /** A task of the caller's. */
  readonly taskId: string;
  /** The memory of the tasks process as the operating system sees it. */
  residentBytes(): Promise<number>;
  stop(): Promise<void>;
}

const freshMs = 240_000;
/** Enough for a page to be some work. */
const ownTasks = 200;

async function openSession(address: string): Promise<{ token: () => Promise<string>; close: () => void }> {
  const auth = openPublicClient(AuthServiceService, address);
  const credentials = {
    email: `${randomBytes(8).toString('hex')}@example.com`,
    password: randomBytes(12).toString('hex'),
  };
  await auth.register({ ...credentials, displayName: 'Soak' });
  let session = { token: '', since: -Infinity };
  const token = async (): Promise<string> => {
    if (performance.now() - session.since > freshMs)
      session = { token: (await auth.login(credentials)).tokens?.accessToken ?? '', since: performance.now() };
    return session.token;
  };
  return { token, close: () => auth.close() };
}

async function fill(tasks: SoakCluster['tasks'], token: string): Promise<string> {
  const requests = Array.from({ length: ownTasks }, (_, index) =>
    CreateTaskRequest.fromPartial({ task: { title: `task ${index}`, description: 'x'.repeat(200) } }),
  );
  const { results } = await tasks.batchCreateTasks({ requests }, { token });
  const first = results[0]?.result;
  return first?.$case === 'task' ? first.value.id : '';
}

export async function startSoakCluster({
  postgresAdminUrl,
  redisUrl,
}: Pick<Infrastructure, 'postgresAdminUrl' | 'redisUrl'>): Promise<SoakCluster> {
  const port = await findFreePort();
  const cluster = await startCluster({
    postgresAdminUrl,
    redisUrl,
    ports: 'free',
    services: ['auth', 'users', 'tasks'],
    env: { TASKFLOW_ENV: 'production' },
    replicaEnv: { tasks: { NODE_OPTIONS: inspectorOption(port) } },
  });
  try {
    const session = await openSession(cluster.address('auth'));
    const tasks = openPublicClient(TasksServiceService, cluster.address('tasks'));
    const heap = await openHeapProbe(port);
    return {
      cluster,
      address: cluster.address('tasks'),
      tasks,
      heap,
      token: session.token,
      taskId: await fill(tasks, await session.token()),
      residentBytes: async () => {
        const text = await cluster.metrics('tasks');
        return Number(/^process_resident_memory_bytes(?:\{[^}]*\})? ([\d.e+-]+)/m.exec(text)?.[1]);
      },
      stop: async () => {
        heap.close();
        tasks.close();
        session.close();
        await cluster.stop();
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
