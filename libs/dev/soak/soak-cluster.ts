import { randomBytes } from 'node:crypto';
import { inBatches, type Session, type TaskFlow } from '#client/index';
import { createTaskFlow } from '#client/node';
import { clientOptions, findFreePort, startCluster, type Cluster, type Infrastructure } from '#dev/cluster';
import { inspectorOption, openHeapProbe, type HeapProbe } from './heap.ts';

/** A tasks service with those it needs, somebody who calls it, and a look at its memory. */
export interface SoakCluster {
  readonly cluster: Cluster;
  /** Of the tasks service. */
  readonly address: string;
  /** Sends nothing twice by itself: what the service fails is to be seen. */
  readonly tasks: TaskFlow['tasks'];
  readonly heap: HeapProbe;
  /** Valid for some minutes more; renewed when the last one is old. */
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

/** Renews the session when its last token is old. */
function freshTokens(session: Session): () => Promise<string> {
  let since = performance.now();
  return async () => {
    const token = (await session.token()) ?? '';
    if (performance.now() - since < freshMs) return token;
    await session.renew(token);
    since = performance.now();
    return (await session.token()) ?? '';
  };
}

/** Returns the id of one of them. */
async function fill(tasks: SoakCluster['tasks']): Promise<string> {
  const members = Array.from({ length: ownTasks }, (_, index) => ({
    task: { title: `task ${index}`, description: 'x'.repeat(200) },
  }));
  const created = await Array.fromAsync(inBatches(tasks.batchCreateTasks, members, {}));
  const first = created[0]?.result.result;
  return first?.case === 'task' ? first.value.id : '';
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
    const account = {
      email: `${randomBytes(8).toString('hex')}@example.com`,
      password: randomBytes(12).toString('hex'),
    };
    const hosts = { auth: cluster.address('auth'), tasks: cluster.address('tasks') };
    const options = { ...clientOptions(hosts, cluster.certificates), credentials: { account }, maxAttempts: 1 };
    const taskflow = createTaskFlow(options);
    await taskflow.auth.register({ ...account, displayName: 'Soak' });
    const heap = await openHeapProbe(port);
    return {
      cluster,
      address: cluster.address('tasks'),
      tasks: taskflow.tasks,
      heap,
      token: freshTokens(taskflow.session),
      taskId: await fill(taskflow.tasks),
      residentBytes: async () => {
        const text = await cluster.metrics('tasks');
        return Number(/^process_resident_memory_bytes(?:\{[^}]*\})? ([\d.e+-]+)/m.exec(text)?.[1]);
      },
      stop: async () => {
        heap.close();
        taskflow.close();
        await cluster.stop();
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
