import { randomBytes } from 'node:crypto';
import { TaskFlowError, type Account, type Session, type SessionOptions } from '#client/index';
import { createTaskFlow, type NodeOptions } from '#client/node';
import type { TaskFlow } from '#client/taskflow';
import {
  startCluster,
  testPostgresUrl,
  testRedisUrl,
  waitUntil,
  type Cluster,
  type ClusterOptions,
} from '#dev/cluster';

type Service = 'auth' | 'users' | 'tasks';
type Addresses = Record<Service, string>;

/** A cluster and what the package needs to reach it. */
export interface ClientCluster {
  cluster: Cluster;
  addresses: Addresses;
  /** A new account that every service knows. */
  register(): Promise<Account>;
  /** As a person; `addresses` of the options stand before those of the cluster, for proxies. */
  open(credentials?: SessionOptions, options?: OpenOptions): TaskFlow<Session>;
  /** How many calls of a method a service has answered; with an id, how often it has answered that call. */
  answered(service: Service, method: string, callId?: string): number;
  stop(): Promise<void>;
}

type OpenOptions = Pick<NodeOptions, 'maxAttempts'> & { addresses?: Partial<Addresses> };

export async function startClientCluster(options: Partial<ClusterOptions> = {}): Promise<ClientCluster> {
  const cluster = await startCluster({
    postgresAdminUrl: testPostgresUrl(),
    redisUrl: testRedisUrl(),
    copyDatabases: true,
    ports: 'free',
    services: ['auth', 'users', 'tasks'],
    ...options,
  });
  const urlOf = (service: Service): string => `http://${cluster.address(service)}`;
  const addresses = { auth: urlOf('auth'), users: urlOf('users'), tasks: urlOf('tasks') };
  const opened: TaskFlow[] = [];
  const open: ClientCluster['open'] = (credentials = {}, { addresses: proxies, ...others } = {}) => {
    const taskflow = createTaskFlow({ ...others, addresses: { ...addresses, ...proxies }, credentials });
    opened.push(taskflow);
    return taskflow;
  };
  return {
    cluster,
    addresses,
    open,
    register: async () => {
      const account = {
        email: `${randomBytes(8).toString('hex')}@example.com`,
        password: `K${randomBytes(12).toString('hex')}`,
      };
      const { auth, users } = open({ account });
      await auth.register({ ...account, displayName: 'Ada' });
      // On a busy machine auth answers before users has the profile.
      await waitUntil(() => outcomeOf(users.getMe({})), 'OK');
      return account;
    },
    answered: (service, method, callId = '') =>
      cluster
        .logs(service)
        .split('\n')
        // On a busy machine a slow statement of a call has a line of its own.
        .filter((line) => line.includes('"call ended"') && line.includes(`/${method}"`) && line.includes(callId))
        .length,
    stop: async () => {
      for (const taskflow of opened) taskflow.close();
      await cluster.stop();
    },
  };
}

/** The error of a call that must fail. */
export async function refusal(call: Promise<unknown>): Promise<TaskFlowError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof TaskFlowError) return error;
    throw error;
  }
  throw new Error('the call should have been refused');
}

/** OK, or code and reason such as NOT_FOUND/TASK_NOT_FOUND. */
export async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'OK';
  } catch (error) {
    return error instanceof TaskFlowError ? `${error.code}/${error.reason}` : String(error);
  }
}
